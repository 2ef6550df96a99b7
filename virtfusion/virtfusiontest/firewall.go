package virtfusiontest

import (
	"cmp"
	"net/http"
	"slices"
)

// RulesetWeb is the firewall ruleset of the default catalogue: it allows TCP 22 and 443 and denies the rest.
const RulesetWeb int64 = 301

// FirewallRule is a rule of a ruleset.
type FirewallRule struct {
	Protocol        string `json:"protocol"`
	Direction       string `json:"direction"`
	Action          string `json:"action"` // allow or deny
	IPType          int64  `json:"ipType"` // 4 or 6
	DestinationPort string `json:"destinationPort"`
	SourceAddress   string `json:"sourceAddress"`
	Priority        int64  `json:"priority"` // higher first
}

// rule is a rule of an interface.
type rule struct {
	ID       int64 `json:"id"`
	Disabled bool  `json:"disabled"`
	FirewallRule
}

type ruleset struct {
	ID    int64          `json:"id"`
	Name  string         `json:"name"`
	Rules []FirewallRule `json:"rules"`
}

// AddFirewallRuleset adds a ruleset and returns its id.
func (p *Panel) AddFirewallRuleset(name string, rules ...FirewallRule) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.addRuleset(name, rules)
}

func (st *state) addRuleset(name string, rules []FirewallRule) int64 {
	r := &ruleset{ID: st.next("ruleset"), Name: name, Rules: rules}
	return put(&st.Net.Rulesets, r.ID, r).ID
}

// Firewall is the truth about the firewall of a server's primary interface, for tests.
type Firewall struct {
	Enabled bool
	Rules   []FirewallRule // that are enabled, the highest priority first
	// Pending says that there are changes which the running server does not have yet. They come with its next start, which is not simulated.
	Pending bool
	Pushes  int // to the running server
}

// Firewall returns the firewall of a server's primary interface.
func (p *Panel) Firewall(serverID int64) Firewall {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.look().Servers[serverID]
	if s == nil {
		return Firewall{}
	}
	i := p.state.iface(s.InterfaceID)
	f := Firewall{Enabled: i.Firewall, Pending: i.Pending, Pushes: i.Pushes}
	for _, r := range i.byPriority() {
		if !r.Disabled {
			f.Rules = append(f.Rules, r.FirewallRule)
		}
	}
	return f
}

func firewallOperations() []operation {
	const one = "/servers/{serverId}/firewall/{interfaceRef}"
	return []operation{
		{"listFirewallRulesets", "GET /firewall/rulesets", V71, (*call).listFirewallRulesets},
		{"getFirewallRuleset", "GET /firewall/rulesets/{rulesetId}", V71, (*call).getFirewallRuleset},
		{"getFirewall", "GET " + one, "", (*call).getFirewall},
		{"enableFirewall", "POST " + one + "/enable", "", (*call).enableFirewall},
		{"disableFirewall", "POST " + one + "/disable", "", (*call).disableFirewall},
		{"listFirewallRules", "GET " + one + "/rules", V71, (*call).listFirewallRules},
		{"addFirewallRule", "POST " + one + "/rules", "", (*call).addFirewallRule},
		{"setFirewallRuleEnabled", "PUT " + one + "/rules/{ruleId}", V71, (*call).setFirewallRuleEnabled},
		{"deleteFirewallRule", "DELETE " + one + "/rules/{ruleId}", V71, (*call).deleteFirewallRule},
		{"attachFirewallRuleset", "POST " + one + "/rulesets", V71, (*call).attachFirewallRuleset},
		{"applyFirewall", "POST " + one + "/apply", V71, (*call).applyFirewall},
	}
}

// json has members that are guesses, besides the id.
func (r *ruleset) json() obj {
	rules := []obj{}
	for _, one := range r.Rules {
		rules = append(rules, one.json())
	}
	return obj{"id": r.ID, "name": r.Name, "rules": rules}
}

func (c *call) listFirewallRulesets() answer {
	return page(c, sorted(c.Net.Rulesets), true, (*ruleset).json)
}

func (c *call) getFirewallRuleset() answer {
	r := c.Net.Rulesets[c.id("rulesetId")]
	if r == nil {
		return missing("firewall ruleset")
	}
	return ok(r.json())
}

// changed notes a change of the firewall. It waits for the next start unless it is pushed now.
func (i *iface) changed(push bool) {
	i.Pending = !push
	if push {
		i.Pushes++
	}
}

// byPriority are the rules in the order in which they count.
func (i *iface) byPriority() []*rule {
	rules := slices.Clone(i.Rules)
	slices.SortStableFunc(rules, func(a, b *rule) int { return cmp.Compare(b.Priority, a.Priority) })
	return rules
}

// json is what a rule was made of. Of the answer only id and enabled are likely.
func (r FirewallRule) json() obj {
	o := obj{"protocol": r.Protocol, "direction": r.Direction, "action": r.Action, "ipType": r.IPType, "priority": r.Priority}
	o["destinationPort"], o["sourceAddress"] = textOrNull(r.DestinationPort), textOrNull(r.SourceAddress)
	return o
}

func (r *rule) json() obj {
	o := r.FirewallRule.json()
	o["id"], o["enabled"] = r.ID, !r.Disabled
	return o
}

func (i *iface) rulesJSON() []obj {
	rows := []obj{}
	for _, r := range i.byPriority() {
		rows = append(rows, r.json())
	}
	return rows
}

// getFirewall shows rules as the list of rules does, which is a guess: only an empty list was seen.
func (c *call) getFirewall() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	i := c.iface(id)
	return ok(obj{"enabled": i.Firewall, "rules": i.rulesJSON()})
}

func (c *call) enableFirewall() answer { return c.switchFirewall(true) }

func (c *call) disableFirewall() answer { return c.switchFirewall(false) }

// switchFirewall answers without a body.
func (c *call) switchFirewall(on bool) answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	i := c.iface(id)
	i.Firewall = on
	i.changed(c.flag("sync"))
	return empty(http.StatusOK)
}

func (c *call) listFirewallRules() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	return ok(c.iface(id).rulesJSON())
}

// addFirewallRule has two contracts: 7.1 adds a rule; all versions replace the rules when rulesets are given, and before 7.1 they must be given (guess).
func (c *call) addFirewallRule() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f, i := c.form(), c.iface(id)
	if c.panel.version < V71 || f.has("rulesets") {
		return c.replaceRules(f, i)
	}
	f.require("protocol", "direction", "action")
	r := FirewallRule{
		Protocol: f.text("protocol", "", 16), Direction: f.text("direction", "", 8), Action: f.text("action", "", 8), IPType: f.int("ipType", 4, 4, 6),
		DestinationPort: f.text("destinationPort", "", 64), SourceAddress: f.text("sourceAddress", "", 64), Priority: f.int("priority", 500, 0, 1000),
	}
	if r.Action != "allow" && r.Action != "deny" {
		f.fail("The selected action is invalid.")
	}
	push := f.bool("apply", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	added, created := c.addRule(i, r)
	i.changed(push)
	o := added.json()
	o["created"] = created
	return data(http.StatusCreated, o)
}

// addRule adds a rule unless the same one is there.
func (st *state) addRule(i *iface, r FirewallRule) (*rule, bool) {
	for _, old := range i.Rules {
		if old.FirewallRule == r {
			return old, false
		}
	}
	added := &rule{ID: st.next("rule"), FirewallRule: r}
	i.Rules = append(i.Rules, added)
	return added, true
}

// replaceRules removes all rules and copies those of rulesets.
func (c *call) replaceRules(f *form, i *iface) answer {
	if f.in["rulesets"] == nil {
		return invalid("The rulesets field must be present.")
	}
	var rules []FirewallRule
	for _, id := range f.ints("rulesets") {
		r := c.Net.Rulesets[id]
		if r == nil {
			return invalid("Invalid or disabled firewall ruleset")
		}
		rules = append(rules, r.Rules...)
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	i.Rules = nil
	for _, r := range rules {
		c.addRule(i, r)
	}
	i.changed(c.flag("sync"))
	return empty(http.StatusCreated)
}

// orderedRulesets are the rulesets that an order for a server names. [-1] is none.
func (c *call) orderedRulesets(f *form) []int64 {
	if !f.replaces("firewallRulesets") {
		return nil
	}
	ids := f.ints("firewallRulesets")
	for _, id := range ids {
		if c.Net.Rulesets[id] == nil {
			f.fail("Invalid or disabled firewall ruleset")
			return nil
		}
	}
	return ids
}

// copyRules copies the rules of rulesets onto an interface.
func (st *state) copyRules(interfaceID int64, rulesets []int64) {
	for _, id := range rulesets {
		for _, r := range st.Net.Rulesets[id].Rules {
			i := st.iface(interfaceID)
			i.Rules = append(i.Rules, &rule{ID: st.next("rule"), FirewallRule: r})
		}
	}
}

// findRule returns the interface and the rule that the path names, or the refusal.
func (c *call) findRule() (*iface, *rule, answer) {
	s, id, a := c.findInterface()
	if s == nil {
		return nil, nil, a
	}
	i := c.iface(id)
	n := slices.IndexFunc(i.Rules, func(r *rule) bool { return r.ID == c.id("ruleId") })
	if n < 0 {
		return nil, nil, missing("firewall rule")
	}
	return i, i.Rules[n], answer{}
}

func (c *call) setFirewallRuleEnabled() answer {
	i, r, a := c.findRule()
	if r == nil {
		return a
	}
	f := c.form()
	f.require("enabled")
	on, push := f.bool("enabled", true), f.bool("apply", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	r.Disabled = !on
	i.changed(push)
	return nothing(http.StatusOK)
}

func (c *call) deleteFirewallRule() answer {
	i, r, a := c.findRule()
	if r == nil {
		return a
	}
	f := c.form()
	push := f.bool("apply", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	i.Rules = slices.DeleteFunc(i.Rules, func(other *rule) bool { return other.ID == r.ID })
	i.changed(push)
	return nothing(http.StatusOK)
}

// attachFirewallRuleset copies rules beside those that are there. It does not switch the firewall on.
func (c *call) attachFirewallRuleset() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f, i := c.form(), c.iface(id)
	f.require("rulesetId")
	set := c.Net.Rulesets[f.count("rulesetId", 0)]
	if f.has("rulesetId") && set == nil {
		f.fail("Invalid or disabled firewall ruleset")
	}
	push := f.bool("apply", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.copyRules(id, []int64{set.ID})
	i.changed(push)
	return nothing(http.StatusOK)
}

func (c *call) applyFirewall() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	c.iface(id).changed(true)
	return nothing(http.StatusOK)
}
