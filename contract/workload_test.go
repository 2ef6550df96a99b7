package contract

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/internal/opdoc"
)

// workload is everything that one panel's client is made to do, and what was seen of it.
type workload struct {
	spec *Spec

	mu        sync.Mutex
	exchanges int
	answered  map[string]map[int]bool // operation: the statuses it was answered with
}

func newWorkload(t *testing.T, panel string) *workload {
	t.Helper()
	return &workload{spec: load(t, panel), answered: map[string]map[int]bool{}}
}

// watch puts a recorder before a panel. What is wrong fails the test when it ends.
func (w *workload) watch(t testing.TB, panel http.RoundTripper) *Recorder {
	rec := w.spec.Record(panel)
	t.Cleanup(func() {
		t.Helper()
		for _, x := range rec.Exchanges() {
			for _, problem := range x.Request {
				t.Errorf("%s: the client's request: %s\n%s %s", x.Operation, problem, x.Method, x.Path)
			}
			for _, problem := range x.Answer {
				t.Errorf("%s: the panel's answer %d: %s\n%s %s", x.Operation, x.Status, problem, x.Method, x.Path)
			}
			w.add(x)
		}
	})
	return rec
}

func (w *workload) add(x Exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanges++
	if w.answered[x.Operation] == nil {
		w.answered[x.Operation] = map[int]bool{}
	}
	w.answered[x.Operation][x.Status] = true
}

// summary fails for operations of the client in folder that never succeeded here, and for exceptions that nothing needs.
func (w *workload) summary(t *testing.T, folder string) {
	t.Helper()
	implemented := implementedIn(t, folder)
	var missing []string
	for _, op := range w.spec.Operations() {
		succeeded := slices.ContainsFunc(slices.Collect(maps.Keys(w.answered[op.ID])), func(status int) bool { return status >= 200 && status < 300 })
		if implemented[op.Method+" "+op.Path] && !succeeded {
			missing = append(missing, fmt.Sprintf("%s (%s %s)", op.ID, op.Method, op.Path))
		}
	}
	assert.Empty(t, missing, "operations of %s that no workload sees succeed", folder)
	for _, e := range w.spec.allow {
		assert.True(t, w.needs(e), "nothing needs the exception %+v", e)
	}
	statuses := map[int]int{}
	for _, of := range w.answered {
		for status := range of {
			statuses[status]++
		}
	}
	t.Logf("%s: %d of %d operations, %d requests; operations by status: %v", folder, len(implemented)-len(missing), len(implemented), w.exchanges, statuses)
}

func (w *workload) needs(e Exception) bool {
	for _, rt := range w.spec.routes {
		id := rt.Operation.OperationID
		if (e.Operation == "" || e.Operation == id) && w.answered[id][e.Status] && rt.Operation.Responses.Status(e.Status) == nil {
			return true
		}
	}
	return false
}

// implementedIn reads the operations of a client from the last lines of its doc comments.
func implementedIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	operations, err := opdoc.Read(filepath.Join("..", folder))
	require.NoError(t, err)
	all := map[string]bool{}
	for _, op := range operations {
		all[op.Name] = true
	}
	return all
}
