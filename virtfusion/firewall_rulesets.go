package virtfusion

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// FirewallRuleset is a named list of rules. Its answer was never published: that it has a name is a guess, and Data has all of it, its rules included.
// Experimental.
type FirewallRuleset struct {
	ID   FirewallRulesetID `json:"id"`
	Name string            `json:"name"`

	Data json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what it can and never fails.
func (r *FirewallRuleset) UnmarshalJSON(b []byte) error {
	type plain FirewallRuleset
	*r = FirewallRuleset{}
	return readPartly(b, (*plain)(r), &r.Data)
}

// AttachFirewallRulesetRequest copies a ruleset onto an interface.
type AttachFirewallRulesetRequest struct {
	RulesetID FirewallRulesetID `json:"rulesetId"`
	// Apply pushes the rules to the running server. It is always sent; without it they are stored, and FirewallService.Apply pushes them later.
	Apply bool `json:"apply"`
}

// ListRulesets yields all rulesets, page by page; the next page is read when the one before is used up. Ranging again starts again. An error is the last pair.
// Panel 7.1; older ones take the ids of rulesets, but cannot list them.
//
// Experimental: nobody has seen a row; see FirewallRuleset.
//
// Class: read.
// API: GET /firewall/rulesets
func (s *FirewallService) ListRulesets(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[FirewallRuleset, error] {
	return rows[FirewallRuleset](ctx, s.rest,
		pageCall{op: "listFirewallRulesets", since: panel71, path: []any{"firewall", "rulesets"}, results: o.Results, opts: opts})
}

// GetRuleset reads one ruleset with its rules. NotFound when there is none. Panel 7.1.
//
// Experimental: nobody has seen the answer; see FirewallRuleset.
//
// Class: read.
// API: GET /firewall/rulesets/{rulesetId}
func (s *FirewallService) GetRuleset(ctx context.Context, id FirewallRulesetID, opts ...CallOption) (*FirewallRuleset, error) {
	if err := positive("rulesetId", id); err != nil {
		return nil, err
	}
	return fetchPartly(ctx, s.rest, rest.Call{Op: "getFirewallRuleset", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"firewall", "rulesets", id}}, func(v *FirewallRuleset) error { return sameIfTold("firewall ruleset", v.ID, id) }, opts)
}

// AttachRuleset copies the rules of a ruleset onto an interface, beside those that it has. It does not switch the firewall on, and later changes of the ruleset
// do not follow. It is sent once, because repeating it may copy the rules again. Panel 7.1.
//
// Experimental: nobody has seen the answer.
//
// Class: once.
// API: POST /servers/{serverId}/firewall/{interfaceRef}/rulesets
func (s *FirewallService) AttachRuleset(ctx context.Context, id ServerID, ref InterfaceRef, r AttachFirewallRulesetRequest,
	opts ...CallOption) (json.RawMessage, error) {
	if err := positive("rulesetId", r.RulesetID); err != nil {
		return nil, err
	}
	return s.raw(ctx, rest.Call{Op: "attachFirewallRuleset", Class: rest.Once, Method: http.MethodPost, In: r},
		id, ref, []any{"rulesets"}, pushing(r.Apply, opts))
}
