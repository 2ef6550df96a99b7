package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

func TestTablesOfEachOlderVersionAreBroughtUpToDate(t *testing.T) {
	for version := range engine.Versions() {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				dropTables(t, db)
				raw := rawDB(t, db)
				if version > 0 {
					require.NoError(t, engine.MigrateTo(t.Context(), engine.SQLTx(raw), strings.HasPrefix(db.Reveal(), "postgres"), version))
					spec := order("order-1").Spec
					spec.Key = "order-1"
					body, err := json.Marshal(map[string]any{"spec": spec})
					require.NoError(t, err)
					_, err = raw.ExecContext(t.Context(), `INSERT INTO hvpanels_service(key, provider, desired, body, generation, created_at, updated_at)
						VALUES ('order-1', 'alpha', 'present', $1, 1, 0, 0)`, string(body))
					require.NoError(t, err)
					_, err = raw.ExecContext(t.Context(), `INSERT INTO hvpanels_target(id, key, panel, kind, gen, done_gen, state, message, due_at, changed_at)
						VALUES ('order-1/alpha', 'order-1', 'alpha', 'provider', 1, 0, 'waiting', '', 0, 0)`)
					require.NoError(t, err)
				}
				e := open(t, config(db, newProvider(t, newPanel(t))))
				if version == 0 {
					require.NoError(t, e.Apply(t.Context(), order("order-1")))
				}
				s, err := e.Status(t.Context(), "order-1")
				require.NoError(t, err)
				assert.True(t, s.Pending)
				b, err := e.Backlog(t.Context())
				require.NoError(t, err)
				require.Len(t, b, 1)
				assert.Equal(t, 1, b[0].Pending)
				assert.WithinDuration(t, time.Now(), b[0].Oldest, time.Minute)
				require.NoError(t, e.Start(t.Context()))
				assert.False(t, ready(t, e, "order-1").Pending)
			})
		})
	}
}

func TestTablesOfANewerVersionAreLeftAlone(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		_, err := rawDB(t, db).ExecContext(t.Context(), `INSERT INTO hvpanels_schema(version) VALUES (1000)`)
		require.NoError(t, err)
		_, err = engine.Open(t.Context(), config(db, newProvider(t, newPanel(t))))
		require.ErrorContains(t, err, fmt.Sprintf("made by a newer version of this module: schema 1000, known are %d", engine.Versions()))
	})
}
