package engine_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// line is the way to a panel, which may be down.
type line struct {
	panel http.RoundTripper

	mu   sync.Mutex
	how  outage
	sent []time.Time // when what changes something was sent; searches in a customer's name have a client and a limit of their own
}

type outage string

const (
	up     outage = "up"
	refuse outage = "the connection is refused"
	hang   outage = "nothing is answered" // and every second request is carried out
)

func (l *line) set(how outage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.how = how
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	how, n := l.note(r)
	if how == up || how == hang && n%2 == 1 {
		answer, err := l.panel.RoundTrip(r)
		if how == up || err != nil {
			return answer, err
		}
		_ = answer.Body.Close()
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	if how == refuse {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func (l *line) note(r *http.Request) (how outage, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Method != http.MethodGet {
		l.sent = append(l.sent, time.Now())
	}
	return l.how, len(l.sent)
}

func (l *line) requests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sent)
}

// busiest is the largest number of requests in any window of that length.
func (l *line) busiest(window time.Duration) (most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := 0
	for last, at := range l.sent {
		for at.Sub(l.sent[first]) >= window {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// recordKeeping is a panel that knows the owners of the first orders, and the registrar in front of it.
func recordKeeping(t testing.TB, orders int, opts ...ospabpanel.Option) (*ospabpaneltest.Panel, *line, *ospabpanel.FindingRegistrar) {
	t.Helper()
	p := ospabpaneltest.New(t)
	users := ospabpanel.UserTable{}
	for i := range orders {
		users[ownOrder(i).Spec.Owner.Ref] = ospabpanel.PanelUserID(p.AddUser(fmt.Sprintf("owner%d", i)).ID)
	}
	l := &line{panel: p.Transport(), how: up}
	opts = append([]ospabpanel.Option{ospabpanel.WithHTTPClient(&http.Client{Transport: l}), ospabpanel.WithRetry(ospabpanel.RetryPolicy{MaxAttempts: 1})}, opts...)
	s, err := ospabpanel.New(p.URL(), p.Key(), opts...)
	require.NoError(t, err)
	r, err := ospabpanel.NewRegistrar(s, users)
	require.NoError(t, err)
	f, err := ospabpanel.NewFindingRegistrar(r, func(_ context.Context, user ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) {
		return ospabpanel.NewUserClient(p.URL(), user, ospabpanel.StaticToken(p.Token(int64(user))), opts...)
	})
	require.NoError(t, err)
	return p, l, f
}

func recordedOwnOrder(i int) engine.Service {
	o := ownOrder(i)
	o.Registrars = []string{"records"}
	return o
}

func TestH01H05RecordsOfAnOutageArriveOnceEachAndAtABoundedRate(t *testing.T) {
	for _, how := range []outage{refuse, hang} {
		t.Run(string(how), func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) { outageEnds(t, db, how) })
		})
	}
}

func outageEnds(t *testing.T, db provisioning.Secret, how outage) {
	const orders, perSecond, burst, workers = 60, 40, 5, 4
	records, l, registrar := recordKeeping(t, orders, ospabpanel.WithRateLimit(perSecond, burst), ospabpanel.WithAttemptTimeout(300*time.Millisecond))
	l.set(how)
	c := config(db, newProvider(t, newPanel(t)), withRegistrar(registrar))
	c.Timings.Probe = 300 * time.Millisecond
	c.PanelWorkers = map[string]int{"records": workers}
	e := start(t, c)

	began := time.Now()
	for i := range orders {
		require.NoError(t, e.Apply(t.Context(), recordedOwnOrder(i)))
	}
	for i := range orders {
		until(t, e, ownOrder(i).Key, engine.Ready)
	}
	eventually(t, func() bool { return paused(t, e, "records") == "outage" }, func() string { return paused(t, e, "records") })
	assert.LessOrEqual(t, l.requests(), 20+int(8*time.Since(began).Seconds()), "a few until it is paused, and then one now and then")

	assert.Equal(t, how == hang, len(records.Records()) > 0, "%d records were made whose answer nobody got", len(records.Records()))
	l.set(up)
	for i := range orders {
		ready(t, e, ownOrder(i).Key)
	}
	names := map[string]int{}
	for _, r := range records.Records() {
		names[r.Name+" "+r.Status]++
	}
	for i := range orders {
		assert.Equal(t, 1, names[ownOrder(i).Key+" running"], ownOrder(i).Key)
	}
	assert.Len(t, records.Records(), orders)
	// A request that was let go and then waited for a processor may arrive in a later second than its own: one for each worker.
	assert.LessOrEqual(t, l.busiest(time.Second), perSecond+burst+workers)
}
