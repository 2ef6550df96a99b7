package virtfusion_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// slow answers everything with nothing after a while.
type slow time.Duration

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Duration(s)):
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func newSlowPanel(t *testing.T, seconds int) *virtfusion.Client {
	t.Helper()
	hc := &http.Client{Transport: slow(time.Duration(seconds) * time.Second)}
	c, err := virtfusion.New(panelURL, testToken, virtfusion.WithHTTPClient(hc), virtfusion.WithRetry(virtfusion.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	return c
}

var allowSSH = virtfusion.AddFirewallRuleRequest{Protocol: virtfusion.FirewallTCP, Direction: virtfusion.FirewallIn, Action: virtfusion.FirewallAllow,
	IPType: 4, DestinationPort: "22", Priority: ptr(500)}

func firewallOperations() []operation {
	return []operation{{
		name: "list rulesets", fixture: "listFirewallRulesets.200", method: "GET", path: "/firewall/rulesets", query: "page=1&results=200",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.Firewall.ListRulesets(ctx, virtfusion.ListOptions{}))
		},
		check: func(t *testing.T, got any) {
			sets := got.([]virtfusion.FirewallRuleset)
			require.Len(t, sets, 1)
			assert.Equal(t, virtfusion.FirewallRulesetID(301), sets[0].ID)
			assert.Contains(t, string(sets[0].Data), "Web server")
		},
	}, {
		name: "read a ruleset", fixture: "getFirewallRuleset.200", method: "GET", path: "/firewall/rulesets/301",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Firewall.GetRuleset(ctx, 301) },
		check: func(t *testing.T, got any) {
			assert.Contains(t, string(got.(*virtfusion.FirewallRuleset).Data), `"rules"`)
		},
	}, {
		name: "read a firewall, without asking for a sync", fixture: "getFirewall.200", method: "GET", path: "/servers/417/firewall/primary",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Firewall.Get(ctx, 417, virtfusion.InterfacePrimary)
		},
		check: func(t *testing.T, got any) { assert.True(t, bool(got.(*virtfusion.FirewallState).Enabled)) },
	}, {
		name: "switch a firewall on and push it", fixture: "enableFirewall.200", method: "POST", path: "/servers/417/firewall/primary/enable", query: "sync=true",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Firewall.Enable(ctx, 417, virtfusion.InterfacePrimary, virtfusion.FirewallOptions{Sync: true})
		},
	}, {
		name: "switch a firewall off at the next start", fixture: "disableFirewall.200", method: "POST", path: "/servers/417/firewall/secondary/disable",
		query: "sync=false",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Firewall.Disable(ctx, 417, virtfusion.InterfaceSecondary, virtfusion.FirewallOptions{})
		},
	}, {
		name: "list rules", fixture: "listFirewallRules.200", method: "GET", path: "/servers/417/firewall/7012345678/rules",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Firewall.ListRules(ctx, 417, virtfusion.InterfaceTag(7012345678))
		},
		check: func(t *testing.T, got any) {
			rules := got.([]virtfusion.FirewallRule)
			require.Len(t, rules, 1)
			assert.Equal(t, virtfusion.FirewallRuleID(1501), rules[0].ID)
			assert.True(t, bool(rules[0].Enabled))
			assert.True(t, rules[0].Created.IsZero(), "only AddRule tells")
		},
	}, {
		name: "replace all rules", fixture: "addFirewallRule-replace.201", method: "POST", path: "/servers/417/firewall/primary/rules", query: "sync=true",
		body: `{"rulesets":[301,302]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Firewall.ReplaceRules(ctx, 417, virtfusion.InterfacePrimary, []virtfusion.FirewallRulesetID{301, 302}, virtfusion.FirewallOptions{Sync: true})
		},
	}, {
		name: "remove all rules, which is an empty list and never null", fixture: "addFirewallRule-replace.201", method: "POST",
		path: "/servers/417/firewall/primary/rules", query: "sync=false", body: `{"rulesets":[]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Firewall.ReplaceRules(ctx, 417, virtfusion.InterfacePrimary, nil, virtfusion.FirewallOptions{})
		},
	}, {
		name: "switch a rule off", fixture: "setFirewallRuleEnabled.200", method: "PUT", path: "/servers/417/firewall/primary/rules/1501", check: unseen,
		body: `{"enabled":false,"apply":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Firewall.SetRuleEnabled(ctx, 417, virtfusion.InterfacePrimary, 1501, false, virtfusion.FirewallRuleOptions{Apply: true})
		},
	}, {
		name: "delete a rule", fixture: "deleteFirewallRule.200", method: "DELETE", path: "/servers/417/firewall/primary/rules/1501", check: unseen,
		body: `{"apply":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Firewall.DeleteRule(ctx, 417, virtfusion.InterfacePrimary, 1501, virtfusion.FirewallRuleOptions{})
		},
	}, {
		name: "attach a ruleset", fixture: "attachFirewallRuleset.200", method: "POST", path: "/servers/417/firewall/primary/rulesets", check: unseen,
		body: `{"rulesetId":301,"apply":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Firewall.AttachRuleset(ctx, 417, virtfusion.InterfacePrimary, virtfusion.AttachFirewallRulesetRequest{RulesetID: 301})
		},
	}, {
		name: "push the rules now", fixture: "applyFirewall.200", method: "POST", path: "/servers/417/firewall/primary/apply", check: unseen,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Firewall.Apply(ctx, 417, virtfusion.InterfacePrimary)
		},
	}}
}

func TestAFirewallRuleIsAddedOnceThePanelIsKnownToHaveRules(t *testing.T) {
	t.Parallel()
	add := func(t *testing.T, c *virtfusion.Client) (*virtfusion.FirewallRule, error) {
		t.Helper()
		return c.Firewall.AddRule(t.Context(), 417, virtfusion.InterfacePrimary, allowSSH)
	}
	t.Run("the first time it looks, later it does not", func(t *testing.T) {
		t.Parallel()
		c, panel := newClient(t, from(t, "listFirewallRules.200"), from(t, "addFirewallRule.201"))
		for range 2 {
			rule, err := add(t, c)
			require.NoError(t, err)
			assert.Equal(t, virtfusion.FirewallRuleID(1501), rule.ID)
			created, told := rule.Created.Get()
			assert.True(t, told)
			assert.True(t, bool(created))
		}
		asked := panel.requests()
		require.Len(t, asked, 3)
		assert.Equal(t, "GET", asked[0].method)
		for _, a := range asked[1:] {
			assert.Equal(t, "POST /api/v1/servers/417/firewall/primary/rules", a.method+" "+a.path)
			sameJSON(t, `{"protocol":"tcp","direction":"in","action":"allow","ipType":4,"destinationPort":"22","priority":500,"apply":false}`, a.body)
		}
	})
	for name, old := range map[string]answer{
		"no route":                   {status: 404, body: []byte(`{"message":"Not Found"}`)},
		"a route without the method": {status: 405, body: []byte(`{"message":"The GET method is not supported for this route."}`)},
	} {
		t.Run("an older panel is not asked to replace its rules: "+name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, old)
			_, err := add(t, c)
			require.ErrorIs(t, err, provisioning.NoRoute)
			assert.ErrorContains(t, err, "7.1")
			require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			require.Len(t, panel.requests(), 1)
			assert.Equal(t, "GET", panel.requests()[0].method)
		})
	}
	for name, first := range map[string]answer{
		"a token that may not list rules": {status: 403, body: []byte(`{"errors":["no permission"]}`)},
		"a list that cannot be read":      {status: 200, body: []byte(`{"data":{"rules":7}}`)},
	} {
		t.Run("the route is there: "+name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, first, from(t, "addFirewallRule.201"))
			_, err := add(t, c)
			require.NoError(t, err)
			assert.Len(t, panel.requests(), 2)
		})
	}
	t.Run("a lost answer is asked for again, because the same rule is not added twice", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, from(t, "listFirewallRules.200"), answer{status: 504}, from(t, "addFirewallRule.201"))
			_, err := add(t, c)
			require.NoError(t, err)
			assert.Len(t, panel.requests(), 3)
		})
	})
}
