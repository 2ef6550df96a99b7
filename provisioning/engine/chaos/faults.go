//go:build unix

package main

import (
	"bytes"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// simulated is a panel that is served with faults.
type simulated interface {
	http.Handler
	Inject(f provisioningtest.Fault)
	Faults() *provisioningtest.Faults
}

// attemptTimeout is that of the workers' clients, and lateCommit how late a create may be carried out. Both are far below the engine's settling time.
const (
	attemptTimeout = 700 * time.Millisecond
	lateCommit     = 1500 * time.Millisecond
)

// faults breaks requests on their way to a panel.
type faults struct {
	panel simulated
	name  string
	share int // of a hundred requests

	mu       sync.Mutex
	random   *rand.Rand
	on       bool
	rules    int // injected since the last clearing
	counts   map[string]int
	requests int
	outage   *provisioningtest.Fault // of every request, while it lasts
}

func newFaults(o options, name string, panel simulated) *faults {
	return &faults{panel: panel, name: name, share: o.faults, random: generator(o.seed, name), counts: map[string]int{}}
}

// generator makes an independent source of random numbers for one purpose.
func generator(seed uint64, purpose string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, h.Sum64())) // #nosec G404 -- a run is to be repeatable
}

// ServeHTTP decides about one request. A rule that is added for it may hit another request that arrives at the same moment, which makes no difference.
func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.plan(isCreate(r))
	f.panel.ServeHTTP(w, r)
}

// isCreate reports a request that makes a server or a record.
func isCreate(r *http.Request) bool {
	switch {
	case r.Method != http.MethodPost:
		return false
	case strings.HasSuffix(r.URL.Path, "/api/v1/servers"):
		return true
	case !strings.HasSuffix(r.URL.Path, "/vps/sync"):
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte(`"action":"create"`))
}

func (f *faults) plan(create bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if f.rules >= 500 { // used rules stay in the list
		f.clear()
	}
	if f.outage != nil {
		f.inject(*f.outage)
		return
	}
	if f.on && f.random.IntN(100) < f.share {
		f.inject(f.choose(create))
	}
}

func (f *faults) inject(fault provisioningtest.Fault) {
	f.rules++
	f.counts[name(fault)]++
	f.panel.Inject(fault)
}

func (f *faults) clear() {
	for _, unused := range f.panel.Faults().Unused() {
		f.counts[name(unused)]--
	}
	f.panel.Faults().Clear()
	f.rules = 0
}

// choose draws a fault of one request.
func (f *faults) choose(create bool) provisioningtest.Fault {
	all := []provisioningtest.Fault{
		{Do: provisioningtest.Refuse},
		{Do: provisioningtest.CutBefore},
		{Do: provisioningtest.CutAfter},
		{Do: provisioningtest.CutBody},
		{Do: provisioningtest.Answer, Status: http.StatusInternalServerError, Body: `{"message":"Server Error"}`},
		{Do: provisioningtest.Answer, Status: http.StatusServiceUnavailable},
		{Do: provisioningtest.AnswerLate, Status: http.StatusInternalServerError, Body: `{"message":"Server Error"}`},
		{Do: provisioningtest.AnswerLate, Status: http.StatusGatewayTimeout},
		{Do: provisioningtest.HTML, Status: http.StatusBadGateway},
		{Do: provisioningtest.HTML, Status: http.StatusOK},
		{Do: provisioningtest.Answer, Status: http.StatusTooManyRequests, Body: `{"message":"Too Many Attempts."}`, RetryAfter: "1"},
		{Do: provisioningtest.Hang},
		{Do: provisioningtest.HangAfter},
		{Do: provisioningtest.Slow, Delay: time.Duration(f.random.IntN(int(attemptTimeout / 2)))},
	}
	if create && f.random.IntN(2) == 0 {
		return provisioningtest.Fault{Do: provisioningtest.CommitLate, Late: time.Duration(f.random.Int64N(int64(lateCommit)))}
	}
	return all[f.random.IntN(len(all))]
}

func name(f provisioningtest.Fault) string {
	switch {
	case f.Status == http.StatusUnauthorized:
		return "401"
	case f.Status == http.StatusTooManyRequests:
		return "429"
	case f.Do == provisioningtest.HTML && f.Status == http.StatusOK:
		return "html with status 200"
	}
	return string(f.Do)
}

func (f *faults) set(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on, f.outage = on, nil
	f.clear()
}

// breakAll lets every request fail in one of two ways until mend: the panel is down, or refuses the credentials.
func (f *faults) breakAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outage = &provisioningtest.Fault{Do: provisioningtest.HTML, Status: http.StatusServiceUnavailable}
	if f.random.IntN(2) == 0 {
		f.outage = &provisioningtest.Fault{Do: provisioningtest.Answer, Status: http.StatusUnauthorized, Body: `{"error":"Unauthorized","message":"Unauthenticated."}`}
	}
}

func (f *faults) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outage = nil
}

func (f *faults) tally() (requests int, counts map[string]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clear()
	return f.requests, f.counts
}
