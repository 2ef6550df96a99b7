package virtfusion_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// selfServiceWrites are the classes of the writes in selfServiceOperations.
var selfServiceWrites = map[string]string{
	"POST /selfService/credit/byUserExtRelationId/7001": "once", "POST /selfService/credit/byUserExtRelationId/cust-7": "once",
	"DELETE /selfService/credit/301":                                "set",
	"POST /selfService/hourlyGroupProfile/byUserExtRelationId/7001": "once", "POST /selfService/resourceGroupProfile/byUserExtRelationId/7001": "once",
	"DELETE /selfService/hourlyGroupProfile/2/byUserExtRelationId/7001": "set", "DELETE /selfService/resourceGroupProfile/3/byUserExtRelationId/cust-7": "set",
	"PUT /selfService/access/byUserExtRelationId/7001": "set", "POST /selfService/resourcePack/byUserExtRelationId/7001": "once",
	"PUT /selfService/hourlyResourcePack/byUserExtRelationId/7001": "set", "PUT /selfService/resourcePack/17": "set", "DELETE /selfService/resourcePack/17": "set",
	"DELETE /selfService/resourcePackServers/17": "set", "POST /selfService/resourcePackServers/17/suspend": "set",
	"POST /selfService/resourcePackServers/17/unsuspend": "set",
}

const ext = virtfusion.ExtRelationID(7001)

func selfServiceOperations() []operation {
	return append(append(creditOperations(), packOperations()...), usageOperations()...)
}

func creditOperations() []operation {
	return []operation{{
		name: "add credit", fixture: "addCredit.201", method: "POST", path: "/selfService/credit/byUserExtRelationId/7001",
		body: `{"tokens":12.50,"reference_1":9007199254740993,"reference_2":"invoice 7"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.AddCredit(ctx, ext, virtfusion.AddCreditRequest{Tokens: "12.50", Reference1: 9007199254740993, Reference2: "invoice 7"})
		},
		check: func(t *testing.T, got any) { assert.Equal(t, &virtfusion.Credit{ID: 301}, got) },
	}, {
		name: "add credit to a user known by text", fixture: "addCredit.201", method: "POST", path: "/selfService/credit/byUserExtRelationId/cust-7",
		query: "relStr=true", body: `{"tokens":100}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.AddCredit(ctx, virtfusion.RelStr("cust-7"), virtfusion.AddCreditRequest{Tokens: "100"})
		},
	}, {
		name: "take credit back", fixture: "cancelCredit.204", method: "DELETE", path: "/selfService/credit/301",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.CancelCredit(ctx, 301)
		},
	}, {
		name: "list the currencies", fixture: "listCurrencies.200", method: "GET", path: "/selfService/currencies",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.SelfService.Currencies(ctx) },
		check: func(t *testing.T, got any) {
			all := got.([]virtfusion.Currency)
			require.Len(t, all, 2)
			assert.Equal(t, virtfusion.Decimal("0.0100000000"), all[0].Value)
			assert.InDelta(t, 0.115, all[1].Value.Float64(), 1e-9)
			assert.Equal(t, " kr", all[1].Suffix)
		},
	}, {
		name: "add an hourly profile", fixture: "addHourlyGroupProfile.204", method: "POST", path: "/selfService/hourlyGroupProfile/byUserExtRelationId/7001",
		body: `{"profileId":2}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.AddHourlyGroupProfile(ctx, ext, 2)
		},
	}, {
		name: "remove an hourly profile", fixture: "removeHourlyGroupProfile.204", method: "DELETE",
		path: "/selfService/hourlyGroupProfile/2/byUserExtRelationId/7001",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.RemoveHourlyGroupProfile(ctx, ext, 2)
		},
	}, {
		name: "add a profile for resource packs", fixture: "addResourceGroupProfile.204", method: "POST",
		path: "/selfService/resourceGroupProfile/byUserExtRelationId/7001", body: `{"profileId":3}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.AddResourceGroupProfile(ctx, ext, 3)
		},
	}, {
		name: "remove a profile for resource packs", fixture: "removeResourceGroupProfile.204", method: "DELETE",
		path: "/selfService/resourceGroupProfile/3/byUserExtRelationId/cust-7", query: "relStr=true",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.RemoveResourceGroupProfile(ctx, virtfusion.RelStr("cust-7"), 3)
		},
	}, {
		name: "work the access out anew, with the switch sent all the same", fixture: "modifySelfServiceAccess.204", method: "PUT",
		path: "/selfService/access/byUserExtRelationId/7001", body: `{"syncToProfiles":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.RecomputeAccess(ctx, ext, false)
		},
	}}
}

func packOperations() []operation {
	return []operation{{
		name: "give a resource pack", fixture: "addResourcePack.201", method: "POST", path: "/selfService/resourcePack/byUserExtRelationId/7001",
		body: `{"packId":9,"enabled":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.AddResourcePack(ctx, ext, virtfusion.AddResourcePackRequest{PackID: 9, Enabled: true})
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, virtfusion.UserPackID(17), got.(*virtfusion.AddedResourcePack).ID)
		},
	}, {
		name: "give a resource pack that is switched off", fixture: "addResourcePack.201", method: "POST",
		path: "/selfService/resourcePack/byUserExtRelationId/7001", body: `{"packId":9,"enabled":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.AddResourcePack(ctx, ext, virtfusion.AddResourcePackRequest{PackID: 9})
		},
	}, {
		name: "set the pack for hourly servers", fixture: "setHourlyResourcePack.204", method: "PUT",
		path: "/selfService/hourlyResourcePack/byUserExtRelationId/7001", body: `{"packId":9}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.SetHourlyResourcePack(ctx, ext, 9)
		},
	}, {
		name: "read a pack", fixture: "getResourcePack.200", method: "GET", path: "/selfService/resourcePack/17",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.GetResourcePack(ctx, 17, virtfusion.GetResourcePackOptions{})
		},
		check: func(t *testing.T, got any) {
			p := got.(*virtfusion.UserPack)
			assert.Equal(t, virtfusion.ResourcePackID(9), p.PackID)
			assert.Equal(t, 8*provisioning.GiB, p.Limits.Memory.Bytes())
			assert.Equal(t, virtfusion.GB(50), p.Used.Storage)
			assert.InDelta(t, 25, float64(p.Usage.Servers.Percent), 0.01)
			assert.True(t, bool(p.Usage.Memory.Limited))
		},
	}, {
		name: "read a pack with its servers", fixture: "getResourcePack.200", method: "GET", path: "/selfService/resourcePack/17", query: "withServers=true",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.GetResourcePack(ctx, 17, virtfusion.GetResourcePackOptions{WithServers: true})
		},
	}, {
		name: "switch a pack off", fixture: "modifyResourcePack.204", method: "PUT", path: "/selfService/resourcePack/17", body: `{"enabled":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.SetResourcePackEnabled(ctx, 17, false)
		},
	}, {
		name: "delete a pack", fixture: "deleteResourcePack.204", method: "DELETE", path: "/selfService/resourcePack/17",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.DeleteResourcePack(ctx, 17, virtfusion.DeleteResourcePackOptions{})
		},
	}, {
		name: "delete a pack, or disable it", fixture: "deleteResourcePack.204", method: "DELETE", path: "/selfService/resourcePack/17", query: "disable=true",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.DeleteResourcePack(ctx, 17, virtfusion.DeleteResourcePackOptions{DisableInstead: true})
		},
	}, {
		name: "delete the servers of a pack at once, with the delay sent all the same", fixture: "deleteResourcePackServers.204", method: "DELETE",
		path: "/selfService/resourcePackServers/17", query: "delay=0",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.DeleteResourcePackServers(ctx, 17, virtfusion.DeleteServerOptions{})
		},
	}, {
		name: "suspend the servers of a pack", fixture: "suspendResourcePackServers.204", method: "POST", path: "/selfService/resourcePackServers/17/suspend",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.SuspendResourcePackServers(ctx, 17)
		},
	}, {
		name: "lift the suspension of the servers of a pack", fixture: "unsuspendResourcePackServers.204", method: "POST",
		path: "/selfService/resourcePackServers/17/unsuspend",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.SelfService.UnsuspendResourcePackServers(ctx, 17)
		},
	}}
}

func usageOperations() []operation {
	return []operation{{
		name: "read the hourly statistics", fixture: "getHourlyStats.200", method: "GET", path: "/selfService/hourlyStats/byUserExtRelationId/7001",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.HourlyStats(ctx, ext, virtfusion.UsageOptions{})
		},
		check: func(t *testing.T, got any) {
			s := got.(*virtfusion.HourlyStats)
			assert.Equal(t, virtfusion.Decimal("1234.50"), s.MonthlyTotal.Value)
			assert.False(t, s.MonthlyTotal.Tokens.Told())
			assert.Equal(t, virtfusion.Decimal("87.5"), s.Credit.Value)
			assert.Equal(t, "2", string(s.Servers))
		},
	}, {
		name: "read the usage of two weeks", fixture: "getSelfServiceUsage.200", method: "GET", path: "/selfService/usage/byUserExtRelationId/7001",
		query: "period%5B%5D=2026-03-01&period%5B%5D=2026-03-08&range=w",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.Usage(ctx, ext, virtfusion.UsageOptions{Range: virtfusion.RangeWeek,
				Periods: []time.Time{time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC), time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)}})
		},
		check: func(t *testing.T, got any) {
			u := got.(*virtfusion.SelfServiceUsage)
			assert.Equal(t, virtfusion.UserID(23), u.User.ID)
			assert.Equal(t, ext, u.User.ExtRelationID)
			assert.Equal(t, virtfusion.Decimal("4.2500"), u.Servers.Tokens)
			require.Len(t, u.Periods, 1)
			assert.Equal(t, virtfusion.Decimal("31"), u.Periods[0].ServersBillable.Hours)
		},
	}, {
		name: "read the report of the present month", fixture: "getSelfServiceReport.200", method: "GET", path: "/selfService/report/byUserExtRelationId/7001",
		query: "period=0",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.Report(ctx, ext, virtfusion.ReportOptions{})
		},
		check: func(t *testing.T, got any) {
			r := got.(*virtfusion.SelfServiceReport)
			assert.False(t, r.Usage.MonthlyTotal.Value.Told())
			assert.Zero(t, r.Usage.MonthlyTotal.Value.Float64())
			assert.Equal(t, virtfusion.Decimal("0"), r.Usage.History)
			assert.Equal(t, "2026-03-01", r.Usage.Period.Day)
		},
	}, {
		name: "read an old report in another currency", fixture: "getSelfServiceReport.200", method: "GET", path: "/selfService/report/byUserExtRelationId/7001",
		query: "currency=SEK&period=24",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.SelfService.Report(ctx, ext, virtfusion.ReportOptions{MonthsBack: 24, Currency: "SEK"})
		},
	}}
}

func TestCreditIsGivenOnceWhateverTheAnswer(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]answer{
		"a gateway gives up": {status: 504}, "the panel fails": {status: 500}, "the answer has no id": {status: 201, body: []byte(`{"data":[]}`)},
		"the answer is empty": {status: 201}, "the answer is a page": {status: 200, body: []byte(`<html></html>`),
			header: http.Header{"Content-Type": {"text/html"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, panel := newClient(t, a)
				_, err := c.SelfService.AddCredit(t.Context(), ext, virtfusion.AddCreditRequest{Tokens: "5"})
				require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
				assert.Len(t, panel.requests(), 1)
			})
		})
	}
}

func TestADecimalKeepsItsDigits(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]virtfusion.Decimal{
		`"0.0100000000"`: "0.0100000000", `12.50`: "12.50", `0`: "0", `false`: "", `null`: "", `""`: "", `" 7 "`: "7", `"1,234,567.89"`: "1234567.89", `-3`: "-3",
		`"1e3"`: "1e3",
	} {
		var d virtfusion.Decimal
		require.NoError(t, json.Unmarshal([]byte(in), &d), in)
		assert.Equal(t, want, d, in)
		assert.Equal(t, want != "", d.Told())
		out, err := json.Marshal(d)
		require.NoError(t, err)
		if want == "" {
			assert.Equal(t, "false", string(out))
		} else {
			assert.Equal(t, string(want), string(out))
		}
	}
	for _, in := range []string{`true`, `{}`, `[]`, `"x"`, `"1,2"`, `"12,50"`, `"true"`, `"{}"`, `"NaN"`, `"0x1"`, `"1 2"`} {
		var d virtfusion.Decimal
		require.Error(t, json.Unmarshal([]byte(in), &d), in)
	}
	for _, bad := range []virtfusion.Decimal{"x", "true", "1,5", `"1"`, "1}"} {
		_, err := json.Marshal(bad)
		require.Error(t, err, bad)
	}
	assert.InDelta(t, 1000, virtfusion.Decimal("1e3").Float64(), 0)
	assert.Zero(t, virtfusion.Decimal("x").Float64())
}

// Whatever a panel answers about money, what was read can be written again with every digit.
func FuzzAnswerAboutMoney(f *testing.F) {
	addFixtures(f)
	f.Add([]byte(`{"data":{"period":"x","monthlyTotal":{"hours":"1,234.5","value":false,"tokens":1e400},"credit":{"value":"-0.00"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, _ := newClient(t, answer{status: 200, body: body})
		stats, err := c.SelfService.HourlyStats(t.Context(), ext, virtfusion.UsageOptions{})
		if err != nil {
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			return
		}
		first, err := json.Marshal(stats)
		require.NoError(t, err)
		var again virtfusion.HourlyStats
		require.NoError(t, json.Unmarshal(first, &again))
		require.Equal(t, stats.Credit, again.Credit)
		require.Equal(t, stats.MonthlyTotal, again.MonthlyTotal)
	})
}
