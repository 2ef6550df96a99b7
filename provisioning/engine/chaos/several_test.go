//go:build unix && !race

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// With the race detector a single process is all that a machine can carry: see TestOneProcessIsAsDesiredAfterTheChaos.

func TestSeveralProcessesAreAsDesiredAfterTheChaos(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*options){
		"two processes on SQLite":  func(o *options) { o.seed = 2 },
		"two processes, a restore": func(o *options) { o.seed, o.restore, o.duration = 3, true, 6*time.Second },
		"two processes on PostgreSQL": func(o *options) {
			o.seed, o.database = 4, postgres(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.HasSuffix(name, "PostgreSQL") && os.Getenv(envPostgres) == "" {
				t.Skip("set " + envPostgres + " to the postgres:// URL of a server on which databases may be made")
			}
			r := simulatedRun(t, change)
			assert.Equal(t, r.servers, r.records)
			assert.Zero(t, r.uncertain)
		})
	}
}

func TestWithoutTokensUnclearRecordsAreListedAndNoneIsMadeTwice(t *testing.T) {
	t.Parallel()
	r := simulatedRun(t, func(o *options) { o.seed, o.tokenSource, o.services = 5, false, 60 })
	assert.Positive(t, r.uncertain, "no answer of a Register was lost")
	assert.LessOrEqual(t, r.records, r.servers+r.wants["absent"])
	assert.GreaterOrEqual(t, r.records+r.uncertain, r.servers)
}
