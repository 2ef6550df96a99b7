//go:build !race

package rest

import (
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The race detector makes sync.Pool drop buffers at random, so this is measured without it.
func TestACallAllocatesAtMostHalfOfWhatNetHTTPDoes(t *testing.T) { // not parallel: it counts what the process allocates
	rt := benchTransport(benchBody(t, 26))
	hc, c := &http.Client{Transport: rt}, newClient(t, rt)
	raw := bytesPerRun(func() { rawGet[[26]benchPart](t, hc) })
	ours := bytesPerRun(func() { clientGet[[26]benchPart](t, c) })
	t.Logf("net/http, io.ReadAll and json.Unmarshal: %d bytes a call; client: %d", raw, ours)
	assert.LessOrEqual(t, ours*2, raw)
}

func bytesPerRun(f func()) uint64 {
	const runs = 200
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}
