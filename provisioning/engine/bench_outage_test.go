package engine_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// outageLimits is what the clients of the record-keeping panel are allowed: 100 requests a second, 10 at once, and 2 s for each.
var outageLimits = []ospabpanel.Option{ospabpanel.WithRateLimit(100, 10), ospabpanel.WithAttemptTimeout(2 * time.Second)}

// BenchmarkProvisioningWhileTheRegistrarIsDown provisions servers on a simulated VirtFusion panel that is 200 times as fast as a real one, each with a record on an OSPAB
// panel, with the 8 workers a panel that are the default, and measures servers a second, from the first Apply until the last server is ready. The OSPAB panel is up, or
// refuses connections, or answers nothing, for the whole of it. Each of three repeats lets the three take turns with 150 servers each, four times, so that whatever else the
// machine does meets all of them; every turn has an empty database and new panels. A ratio is of two rates of the same repeat. One above 1 is no wonder: while the panel
// is down, nobody has work with the records.
//
// After the last turn in which connections were refused, the panel comes back, and all records arrive: records-after-s says how long that took, most of it the wait for the
// next probe (30 s at most) and the client's own limit of 100 requests a second.
func BenchmarkProvisioningWhileTheRegistrarIsDown(b *testing.B) {
	benchOnEach(b, func(b *testing.B, fresh func() provisioning.Secret) {
		services, turns, repeats := size(150, 20), size(4, 2), size(3, 1)
		for b.Loop() {
			rates := map[outage][]float64{}
			for i := range repeats {
				took := map[outage]time.Duration{}
				modes := []outage{up, refuse, hang}
				for turn := range turns {
					for _, how := range modes {
						took[how] += provisionDuring(b, fresh(), services, how, turn == turns-1)
					}
					modes = append(modes[1:], modes[0])
				}
				for _, how := range modes {
					rates[how] = append(rates[how], perSecond(services*turns, took[how]))
				}
				b.Logf("repeat %d: up %.0f/s, refused %.0f/s (%.2f), hanging %.0f/s (%.2f)", i+1,
					rates[up][i], rates[refuse][i], rates[refuse][i]/rates[up][i], rates[hang][i], rates[hang][i]/rates[up][i])
			}
			b.ReportMetric(median(rates[up]), "up/s")
			reportOutage(b, "refused", rates[refuse], rates[up])
			reportOutage(b, "hanging", rates[hang], rates[up])
		}
	})
}

func reportOutage(b *testing.B, name string, down, up []float64) {
	b.Helper()
	var ratios []float64
	for i := range down {
		ratios = append(ratios, down[i]/up[i])
	}
	b.ReportMetric(median(down), name+"/s")
	b.ReportMetric(median(ratios), name+"-ratio")
	b.ReportMetric(slices.Min(ratios), name+"-lowest-ratio")
}

// provisionDuring returns how long it took until all servers were ready.
func provisionDuring(b *testing.B, db provisioning.Secret, services int, how outage, last bool) time.Duration {
	b.Helper()
	panel := virtfusiontest.New(b, virtfusiontest.WithSpeed(testSpeed))
	client, err := virtfusion.New(panel.URL(), panel.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: panel.Transport()}))
	require.NoError(b, err)
	records, l, registrar := recordKeeping(b, services, outageLimits...)
	l.set(how)
	f := newFinish(services)
	c := benchConfig(db, virtfusion.NewProvider(client, virtfusion.ProviderOptions{}), f, 8)
	c.Registrars = map[string]provisioning.Registrar{"records": registrar}
	c.Timings.Poll = 50 * time.Millisecond
	e := benchOpen(b, c)
	require.NoError(b, e.Start(b.Context()))

	began := time.Now()
	fromAll(b, callers, services, func(i int) error { return e.Apply(b.Context(), recordedOwnOrder(i)) })
	f.wait(b)
	took := time.Since(began)
	assert.Len(b, panel.Servers(), services)
	if last && how != up {
		b.ReportMetric(float64(l.requests()), map[outage]string{refuse: "refused-requests", hang: "hanging-requests"}[how])
	}
	if last && how == refuse {
		assert.Empty(b, records.Records())
		recordsArrive(b, e, l, services)
		assert.Len(b, records.Records(), services)
	}
	require.NoError(b, e.Close(b.Context()))
	return took
}

// recordsArrive ends the outage and waits for the records.
func recordsArrive(b *testing.B, e *engine.Engine, l *line, services int) {
	b.Helper()
	l.set(up)
	began := time.Now()
	for n := 0; n < services; {
		require.Less(b, time.Since(began), 5*time.Minute)
		time.Sleep(100 * time.Millisecond)
		n = 0
		for s, err := range e.Services(b.Context(), engine.Filter{}) {
			require.NoError(b, err)
			if s.AsDesired {
				n++
			}
		}
	}
	b.ReportMetric(time.Since(began).Seconds(), "records-after-s")
	b.ReportMetric(float64(l.busiest(time.Second)), "most-requests/s")
}
