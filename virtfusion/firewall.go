package virtfusion

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// FirewallState is the firewall of an interface.
type FirewallState struct {
	Enabled Bool `json:"enabled"`
	// Rules are as the panel keeps them. Only an empty list was published. Experimental.
	Rules []json.RawMessage `json:"rules"`
}

// FirewallAction is what a rule does with what it matches.
type FirewallAction string

// The actions.
const (
	FirewallAllow FirewallAction = "allow"
	FirewallDeny  FirewallAction = "deny"
)

// FirewallDirection is the way that a rule matches, as the server sees it.
type FirewallDirection string

// The directions. Only in was seen; out is a guess.
const (
	FirewallIn  FirewallDirection = "in"
	FirewallOut FirewallDirection = "out"
)

// FirewallProtocol is what a rule matches. The set is open.
type FirewallProtocol string

// The protocols. Only tcp and all were seen; the others are guesses.
const (
	FirewallAll  FirewallProtocol = "all"
	FirewallTCP  FirewallProtocol = "tcp"
	FirewallUDP  FirewallProtocol = "udp"
	FirewallICMP FirewallProtocol = "icmp"
)

// AddFirewallRuleRequest is a rule. The panel types it as "any"; the fields come from two examples in its documentation. Protocol, Direction and Action are
// needed here, so that nobody allows more than he means.
type AddFirewallRuleRequest struct {
	Protocol  FirewallProtocol  `json:"protocol"`
	Direction FirewallDirection `json:"direction"`
	Action    FirewallAction    `json:"action"`
	// IPType is 4 or 6; 6 is a guess.
	IPType int `json:"ipType,omitzero"`
	// DestinationPort is text ("22"). How a range is written is not documented.
	DestinationPort string `json:"destinationPort,omitzero"`
	SourceAddress   string `json:"sourceAddress,omitzero"` // an address or a prefix
	// Priority orders the rules, higher first; 500 was seen.
	Priority *int `json:"priority,omitempty"`
	// Apply pushes the rules to the running server. It is always sent; without it the rule is stored, and Apply pushes it later.
	Apply bool `json:"apply"`
}

func (r *AddFirewallRuleRequest) check() error {
	switch {
	case r.Protocol == "":
		return provisioning.InvalidField("protocol", "must not be empty")
	case r.Direction == "":
		return provisioning.InvalidField("direction", "must not be empty")
	case r.Action != FirewallAllow && r.Action != FirewallDeny:
		return provisioning.InvalidField("action", "must be %q or %q", FirewallAllow, FirewallDeny)
	case r.IPType != 0 && r.IPType != 4 && r.IPType != 6:
		return provisioning.InvalidField("ipType", "must be 4 or 6, not %d", r.IPType)
	}
	return nil
}

// FirewallRule is a rule of an interface. Its answer was never published: that its members are named as in the request is a guess, and Data has all of it.
// Experimental.
type FirewallRule struct {
	ID              FirewallRuleID    `json:"id"`
	Enabled         Bool              `json:"enabled"`
	Protocol        FirewallProtocol  `json:"protocol"`
	Direction       FirewallDirection `json:"direction"`
	Action          FirewallAction    `json:"action"`
	IPType          Int               `json:"ipType"`
	DestinationPort Text              `json:"destinationPort"`
	SourceAddress   Text              `json:"sourceAddress"`
	Priority        Int               `json:"priority"`
	// Created is in the answer of AddRule only: false when the same rule was there before.
	Created provisioning.Opt[Bool] `json:"created,omitzero"`

	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what it can and never fails.
func (r *FirewallRule) UnmarshalJSON(b []byte) error {
	type plain FirewallRule
	*r = FirewallRule{}
	return readPartly(b, (*plain)(r), &r.Data)
}

// FirewallOptions tunes the operations that every panel version has.
type FirewallOptions struct {
	// Sync also pushes the change to the hypervisor now. Without it the change takes effect at the server's next start. It is always sent.
	Sync bool
}

// FirewallRuleOptions tunes the operations on a single rule.
type FirewallRuleOptions struct {
	// Apply pushes the rules to the running server. It is always sent; without it the change is stored, and FirewallService.Apply pushes it later.
	Apply bool
}

func (o FirewallOptions) query() url.Values {
	return url.Values{"sync": {strconv.FormatBool(o.Sync)}}
}

// pushTime is the limit of an attempt that pushes something to a running server: by the documentation the panel waits up to 30 s for the hypervisor.
const pushTime = 45 * time.Second

// pushing gives a call that pushes something its time, unless the caller has set another.
func pushing(push bool, opts []CallOption) []CallOption {
	if !push {
		return opts
	}
	return append([]CallOption{AttemptTimeout(pushTime)}, opts...)
}

// FirewallService keeps the firewalls of servers, one an interface. Panels up to 7.0 know whole rulesets only (Get, Enable, Disable, ReplaceRules); single
// rules are panel 7.1.
type FirewallService struct {
	rest *rest.Client
	// addsRules remembers that the panel knows single rules.
	addsRules atomic.Bool
}

// Get reads the firewall of an interface.
//
// Class: read.
// API: GET /servers/{serverId}/firewall/{interfaceRef}
func (s *FirewallService) Get(ctx context.Context, id ServerID, ref InterfaceRef, opts ...CallOption) (*FirewallState, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getFirewall", Class: rest.Read, Method: http.MethodGet, Path: []any{"servers", id, "firewall", ref}},
		func(v *FirewallState) error { return hasList(v.Rules) }, opts)
}

// Enable switches the firewall of an interface on.
//
// Class: set.
// API: POST /servers/{serverId}/firewall/{interfaceRef}/enable
func (s *FirewallService) Enable(ctx context.Context, id ServerID, ref InterfaceRef, o FirewallOptions, opts ...CallOption) error {
	return s.do(ctx, rest.Call{Op: "enableFirewall", Class: rest.Set, Method: http.MethodPost, Query: o.query()},
		id, ref, []any{"enable"}, pushing(o.Sync, opts))
}

// Disable switches the firewall of an interface off. That its rules are kept is a guess.
//
// Class: set.
// API: POST /servers/{serverId}/firewall/{interfaceRef}/disable
func (s *FirewallService) Disable(ctx context.Context, id ServerID, ref InterfaceRef, o FirewallOptions, opts ...CallOption) error {
	return s.do(ctx, rest.Call{Op: "disableFirewall", Class: rest.Set, Method: http.MethodPost, Query: o.query()},
		id, ref, []any{"disable"}, pushing(o.Sync, opts))
}

// ListRules returns the rules of an interface, the highest priority first. Panel 7.1.
//
// Experimental: nobody has seen the answer; see FirewallRule.
//
// Class: read.
// API: GET /servers/{serverId}/firewall/{interfaceRef}/rules
func (s *FirewallService) ListRules(ctx context.Context, id ServerID, ref InterfaceRef, opts ...CallOption) ([]FirewallRule, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	return fetchList[FirewallRule](ctx, s.rest, rest.Call{Op: "listFirewallRules", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"servers", id, "firewall", ref, "rules"}}, opts)
}

// AddRule adds one rule to an interface and returns it. A rule that is there already is returned with Created false, so the call is repeated after an unclear
// answer (and Created may then be false although this call added it). It does not switch the firewall on.
//
// Panel 7.1. Older panels take the same call as ReplaceRules, and might remove every rule because none is named. So the first AddRule of a client reads the
// rules before it sends anything: a panel that cannot list them is too old, which is NoRoute.
//
// Experimental: nobody has seen the answer; see FirewallRule.
//
// Class: set.
// API: POST /servers/{serverId}/firewall/{interfaceRef}/rules
func (s *FirewallService) AddRule(ctx context.Context, id ServerID, ref InterfaceRef, r AddFirewallRuleRequest, opts ...CallOption) (*FirewallRule, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := s.mustAddRules(ctx, id, ref); err != nil {
		return nil, err
	}
	return fetchPartly[FirewallRule](ctx, s.rest, rest.Call{Op: "addFirewallRule", Class: rest.Set, Method: http.MethodPost,
		Path: []any{"servers", id, "firewall", ref, "rules"}, In: r}, nil, pushing(r.Apply, opts))
}

// mustAddRules fails unless the panel is known to have single rules. A token that may not list them, and a list that cannot be read, show that it has the
// route.
func (s *FirewallService) mustAddRules(ctx context.Context, id ServerID, ref InterfaceRef) error {
	if s.addsRules.Load() {
		return nil
	}
	_, err := s.ListRules(ctx, id, ref)
	if err != nil && !errors.Is(err, provisioning.Forbidden) && !errors.Is(err, provisioning.Unexpected) {
		return err
	}
	s.addsRules.Store(true)
	return nil
}

// ReplaceRules removes all rules of an interface and then applies these rulesets, in this order; none removes every rule. It is the older use of the call
// behind AddRule: the only way on panels up to 7.0, and marked as deprecated on 7.1, which still takes it.
func (s *FirewallService) ReplaceRules(ctx context.Context, id ServerID, ref InterfaceRef, rulesets []FirewallRulesetID, o FirewallOptions,
	opts ...CallOption) error {
	for _, ruleset := range rulesets {
		if err := positive("rulesets", ruleset); err != nil {
			return err
		}
	}
	in := struct {
		Rulesets []FirewallRulesetID `json:"rulesets"`
	}{append([]FirewallRulesetID{}, rulesets...)} // never null
	return s.do(ctx, rest.Call{Op: "addFirewallRule", Class: rest.Set, Method: http.MethodPost, Query: o.query(), In: in}, id, ref, []any{"rules"},
		pushing(o.Sync, opts))
}

// SetRuleEnabled switches one rule on or off. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: PUT /servers/{serverId}/firewall/{interfaceRef}/rules/{ruleId}
func (s *FirewallService) SetRuleEnabled(ctx context.Context, id ServerID, ref InterfaceRef, rule FirewallRuleID, enabled bool, o FirewallRuleOptions,
	opts ...CallOption) (json.RawMessage, error) {
	if err := positive("ruleId", rule); err != nil {
		return nil, err
	}
	in := struct {
		Enabled bool `json:"enabled"`
		Apply   bool `json:"apply"`
	}{enabled, o.Apply}
	return s.raw(ctx, rest.Call{Op: "setFirewallRuleEnabled", Class: rest.Set, Method: http.MethodPut, In: in},
		id, ref, []any{"rules", rule}, pushing(o.Apply, opts))
}

// DeleteRule removes one rule. The answer tells how the push went, if there was one, in a shape that is not documented. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: DELETE /servers/{serverId}/firewall/{interfaceRef}/rules/{ruleId}
func (s *FirewallService) DeleteRule(ctx context.Context, id ServerID, ref InterfaceRef, rule FirewallRuleID, o FirewallRuleOptions,
	opts ...CallOption) (json.RawMessage, error) {
	if err := positive("ruleId", rule); err != nil {
		return nil, err
	}
	in := struct {
		Apply bool `json:"apply"`
	}{o.Apply}
	return s.raw(ctx, rest.Call{Op: "deleteFirewallRule", Class: rest.Set, Method: http.MethodDelete, In: in},
		id, ref, []any{"rules", rule}, pushing(o.Apply, opts))
}

// Apply pushes the stored rules of an interface to the running server now. The panel waits for the hypervisor, up to 30 s by the documentation, and does one at
// a time for a server; that a second one is refused as Conflict is a guess. An attempt has 45 s. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: set.
// API: POST /servers/{serverId}/firewall/{interfaceRef}/apply
func (s *FirewallService) Apply(ctx context.Context, id ServerID, ref InterfaceRef, opts ...CallOption) (json.RawMessage, error) {
	return s.raw(ctx, rest.Call{Op: "applyFirewall", Class: rest.Set, Method: http.MethodPost}, id, ref, []any{"apply"}, pushing(true, opts))
}

// do calls an operation on the firewall of one interface that answers nothing. below is the path below it.
func (s *FirewallService) do(ctx context.Context, call rest.Call, id ServerID, ref InterfaceRef, below []any, opts []CallOption) error {
	if err := checkInterface(id, ref); err != nil {
		return err
	}
	call.Path = append([]any{"servers", id, "firewall", ref}, below...)
	return s.rest.Do(ctx, call, opts...)
}

// raw is do for operations of panel 7.1 whose answers were never seen.
func (s *FirewallService) raw(ctx context.Context, call rest.Call, id ServerID, ref InterfaceRef, below []any, opts []CallOption) (json.RawMessage, error) {
	if err := checkInterface(id, ref); err != nil {
		return nil, err
	}
	call.Since, call.Path = panel71, append([]any{"servers", id, "firewall", ref}, below...)
	return fetchRaw(ctx, s.rest, call, opts)
}
