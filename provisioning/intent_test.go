package provisioning_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// stores are the stores of this package; everything in this file holds for each.
var stores = map[string]func(t *testing.T) provisioning.Intents{
	"MemIntents": func(*testing.T) provisioning.Intents { return &provisioning.MemIntents{} },
	"FileIntents": func(t *testing.T) provisioning.Intents {
		store, err := provisioning.NewFileIntents(t.TempDir())
		require.NoError(t, err)
		return store
	},
}

func eachStore(t *testing.T, name string, test func(t *testing.T, store provisioning.Intents)) {
	t.Helper()
	for kind, open := range stores {
		t.Run(kind+" "+name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			synctest.Test(t, func(t *testing.T) { test(t, store) })
		})
	}
}

var planned = provisioning.Intent{
	Key: "order-1", Scope: "panel/7", Owner: "70", Before: []provisioning.ID{"1", "2"}, SendBefore: time.Date(2026, 11, 21, 12, 0, 0, 123e6, time.UTC),
}

func changed(change func(*provisioning.Intent)) provisioning.Intent {
	i := planned
	change(&i)
	return i
}

func TestIntentsKeepWhatIsSaved(t *testing.T) {
	t.Parallel()
	eachStore(t, "loads what was saved", func(t *testing.T, store provisioning.Intents) {
		full := planned
		full.ID, full.UUID, full.Marked, full.BuildBefore = "3", "uuid-3", true, planned.SendBefore.Add(time.Minute)
		for _, i := range []provisioning.Intent{planned, full} {
			require.NoError(t, store.Save(t.Context(), i))
			got, err := store.Load(t.Context(), "order-1")
			require.NoError(t, err)
			assert.Equal(t, i, got)
		}
		full.Retired = true
		require.NoError(t, store.Save(t.Context(), full))
		got, err := store.Load(t.Context(), "order-1")
		require.NoError(t, err)
		assert.True(t, got.Retired)
	})
	eachStore(t, "says NotFound for a key that was never saved", func(t *testing.T, store provisioning.Intents) {
		_, err := store.Load(t.Context(), "order-2")
		require.ErrorIs(t, err, provisioning.NotFound)
		assert.EqualError(t, err, "Load: not found: no intent is stored for key order-2")
	})
	eachStore(t, "refuses what is no key", func(t *testing.T, store provisioning.Intents) {
		for _, key := range []string{"", "Order-1", "a/b", "..", "a b", "../order-1", "0123456789012345678901234567890123456789x"} {
			require.ErrorIs(t, store.Save(t.Context(), provisioning.Intent{Key: key}), provisioning.Invalid, "%q", key)
			_, err := store.Load(t.Context(), key)
			require.ErrorIs(t, err, provisioning.Invalid, "%q", key)
		}
	})
	eachStore(t, "lists the open intents of one scope", func(t *testing.T, store provisioning.Intents) {
		for key, change := range map[string]func(*provisioning.Intent){
			"open-1":        func(*provisioning.Intent) {},
			"open-2":        func(i *provisioning.Intent) { i.Marked = true },
			"known":         func(i *provisioning.Intent) { i.ID = "3" },
			"closed":        func(i *provisioning.Intent) { i.Closed = true },
			"retired":       func(i *provisioning.Intent) { i.Retired = true },
			"other-scope":   func(i *provisioning.Intent) { i.Scope = "panel/8" },
			"longer-scope":  func(i *provisioning.Intent) { i.Scope = "panel/70" },
			"known-retired": func(i *provisioning.Intent) { i.ID, i.Retired = "4", true },
		} {
			i := changed(change)
			i.Key = key
			require.NoError(t, store.Save(t.Context(), i))
		}
		open, err := store.Open(t.Context(), "panel/7")
		require.NoError(t, err)
		require.Len(t, open, 2)
		assert.Equal(t, "open-1", open[0].Key)
		assert.Equal(t, "open-2", open[1].Key)
		open, err = store.Open(t.Context(), "panel")
		require.NoError(t, err)
		assert.Empty(t, open)
	})
	eachStore(t, "shares no memory with its callers", func(t *testing.T, store provisioning.Intents) {
		saved := planned
		saved.Before = []provisioning.ID{"1", "2"}
		require.NoError(t, store.Save(t.Context(), saved))
		saved.Before[0] = "changed"
		loaded, err := store.Load(t.Context(), "order-1")
		require.NoError(t, err)
		assert.EqualValues(t, "1", loaded.Before[0])
		loaded.Before[0] = "changed"
		open, err := store.Open(t.Context(), "panel/7")
		require.NoError(t, err)
		assert.EqualValues(t, "1", open[0].Before[0])
		open[0].Before[0] = "changed"
		loaded, err = store.Load(t.Context(), "order-1")
		require.NoError(t, err)
		assert.EqualValues(t, "1", loaded.Before[0])
	})
	eachStore(t, "is safe for concurrent use", func(t *testing.T, store provisioning.Intents) {
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				i := planned
				i.Key = fmt.Sprintf("order-%d", n)
				for range 5 {
					assert.NoError(t, store.Save(t.Context(), i))
					_, err := store.Open(t.Context(), "panel/7")
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		open, err := store.Open(t.Context(), "panel/7")
		require.NoError(t, err)
		assert.Len(t, open, 8)
	})
}

func TestIntentsSaveOnlyWhatMayReplaceWhatIsThere(t *testing.T) {
	t.Parallel()
	replan := func(i *provisioning.Intent) { i.SendBefore = i.SendBefore.Add(time.Hour) }
	for name, c := range map[string]struct {
		old, new func(*provisioning.Intent)
		want     error
	}{
		"an open create becomes a server":          {func(*provisioning.Intent) {}, func(i *provisioning.Intent) { i.ID = "3" }, nil},
		"an open create is closed":                 {func(*provisioning.Intent) {}, func(i *provisioning.Intent) { i.Closed = true }, nil},
		"an open create is not planned again":      {func(*provisioning.Intent) {}, replan, provisioning.Conflict},
		"a closed create is planned again":         {func(i *provisioning.Intent) { i.Closed = true }, replan, nil},
		"a key with a server is not planned again": {func(i *provisioning.Intent) { i.ID = "3" }, replan, provisioning.Conflict},
		"a key never gets another server":          {func(i *provisioning.Intent) { i.ID = "3" }, func(i *provisioning.Intent) { i.ID = "4" }, provisioning.Conflict},
		"a late refusal does not drop the server":  {func(i *provisioning.Intent) { i.ID = "3" }, func(i *provisioning.Intent) { i.Closed = true }, provisioning.Conflict},
		"a server is marked":                       {func(i *provisioning.Intent) { i.ID = "3" }, func(i *provisioning.Intent) { i.ID, i.Marked = "3", true }, nil},
		"a key never changes its scope": {func(i *provisioning.Intent) { i.Closed = true }, func(i *provisioning.Intent) { i.Scope = "panel/8" },
			provisioning.Mismatch},
		"a retired key is not used again": {func(i *provisioning.Intent) { i.Retired = true }, func(*provisioning.Intent) {}, provisioning.Conflict},
		"a retired key that was never seen neither": {func(i *provisioning.Intent) { *i = provisioning.Intent{Key: i.Key, Retired: true} },
			func(*provisioning.Intent) {}, provisioning.Conflict},
		"a key is retired twice":         {func(i *provisioning.Intent) { i.Retired = true }, func(i *provisioning.Intent) { i.Retired = true }, nil},
		"a key with a server is retired": {func(i *provisioning.Intent) { i.ID = "3" }, func(i *provisioning.Intent) { i.ID, i.Retired = "3", true }, nil},
	} {
		eachStore(t, name, func(t *testing.T, store provisioning.Intents) {
			before, after := changed(c.old), changed(c.new)
			require.NoError(t, store.Save(t.Context(), before))
			err := store.Save(t.Context(), after)
			want := after
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				want = before
			} else {
				require.NoError(t, err)
			}
			got, err := store.Load(t.Context(), "order-1")
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestIntentsLetOneKeyBeTakenOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, "by one of ten scopes at once", func(t *testing.T, store provisioning.Intents) {
		for round := range 20 {
			var mu sync.Mutex
			var winners []string
			var wg sync.WaitGroup
			start := make(chan struct{})
			i := planned
			i.Key = fmt.Sprintf("order-%d", round)
			for n := range 10 {
				wg.Go(func() {
					i := i
					i.Scope = fmt.Sprintf("panel/%d", n)
					<-start
					if err := store.Save(t.Context(), i); err == nil {
						mu.Lock()
						winners = append(winners, i.Scope)
						mu.Unlock()
					} else {
						assert.True(t, errors.Is(err, provisioning.Mismatch) || errors.Is(err, provisioning.Conflict), "%v", err)
					}
				})
			}
			close(start)
			wg.Wait()
			require.Len(t, winners, 1)
			got, err := store.Load(t.Context(), i.Key)
			require.NoError(t, err)
			assert.Equal(t, winners[0], got.Scope)
		}
	})
}

func TestIntentsLockOneScopeForOneHolder(t *testing.T) {
	t.Parallel()
	eachStore(t, "makes the next one wait", func(t *testing.T, store provisioning.Intents) {
		unlock, err := store.Lock(t.Context(), "panel/7")
		require.NoError(t, err)
		start := time.Now()
		time.AfterFunc(10*time.Second, unlock)
		unlock2, err := store.Lock(t.Context(), "panel/7")
		require.NoError(t, err)
		assert.InDelta(t, 10, time.Since(start).Seconds(), 0.1)
		unlock2()
		unlock3, err := store.Lock(t.Context(), "panel/7")
		require.NoError(t, err)
		unlock3()
	})
	eachStore(t, "lets other scopes pass", func(t *testing.T, store provisioning.Intents) {
		start := time.Now()
		for _, scope := range []string{"panel/7", "panel/8", "panel/../7", "", "https://panel.example/api/v1 owner 7"} {
			unlock, err := store.Lock(t.Context(), scope)
			require.NoError(t, err)
			defer unlock()
		}
		assert.Zero(t, time.Since(start))
	})
	eachStore(t, "stops waiting when the context ends", func(t *testing.T, store provisioning.Intents) {
		unlock, err := store.Lock(t.Context(), "panel/7")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err = store.Lock(ctx, "panel/7")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
		unlock()
		unlock, err = store.Lock(t.Context(), "panel/7")
		require.NoError(t, err, "the one that gave up holds nothing")
		unlock()
	})
	eachStore(t, "never has two holders", func(t *testing.T, store provisioning.Intents) {
		var mu sync.Mutex
		holders, most := 0, 0
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				unlock, err := store.Lock(t.Context(), "panel/7")
				if !assert.NoError(t, err) {
					return
				}
				defer unlock()
				mu.Lock()
				holders++
				most = max(most, holders)
				mu.Unlock()
				time.Sleep(50 * time.Millisecond)
				mu.Lock()
				holders--
				mu.Unlock()
			})
		}
		wg.Wait()
		assert.Equal(t, 1, most)
	})
}

func TestAnIntentIsPlainJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(planned)
	require.NoError(t, err)
	assert.JSONEq(t, `{"key":"order-1","scope":"panel/7","owner":"70","before":["1","2"],"sendBefore":"2026-11-21T12:00:00.123Z"}`, string(b))
	var back provisioning.Intent
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, planned, back)
}

func TestARetiredKeyIsNeverUsedAgain(t *testing.T) {
	t.Parallel()
	const key = "order-1"
	bubble(t, "after its server was made", func(t *testing.T) {
		s := newShop(t)
		c, err := s.create(key)
		require.NoError(t, err)
		require.NoError(t, provisioning.Retire(t.Context(), s.store, key))
		require.NoError(t, provisioning.Retire(t.Context(), s.store, key), "retiring is repeatable")
		for _, gone := range []bool{false, true} {
			if gone {
				s.panel.remove(c.ID)
			}
			_, err = s.create(key)
			require.ErrorIs(t, err, provisioning.Conflict)
			require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			require.ErrorContains(t, err, "was retired")
		}
		assert.Equal(t, 1, s.panel.count("create"))
		assert.Equal(t, c.ID, s.intent(key).ID)
	})
	bubble(t, "before its order was ever processed", func(t *testing.T) {
		s := newShop(t)
		require.NoError(t, provisioning.Retire(t.Context(), s.store, key))
		_, err := s.create(key)
		require.ErrorIs(t, err, provisioning.Conflict)
		s.exactly()
	})
	bubble(t, "after its create was refused", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", refused())
		_, err := s.create(key)
		require.Error(t, err)
		require.NoError(t, provisioning.Retire(t.Context(), s.store, key))
		_, err = s.create(key)
		require.ErrorIs(t, err, provisioning.Conflict)
		s.exactly()
	})
	bubble(t, "which is refused while its create is unclear", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lateBy(20*time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.createFor(ctx, key)
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		require.ErrorIs(t, provisioning.Retire(t.Context(), s.store, key), provisioning.Conflict)
		_, err = s.create(key)
		require.NoError(t, err)
		require.NoError(t, provisioning.Retire(t.Context(), s.store, key))
	})
	bubble(t, "also when its first order is just being planned", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("plan", toyFault{hold: 5 * time.Second})
		retired := make(chan error, 1)
		time.AfterFunc(time.Second, func() { retired <- provisioning.Retire(t.Context(), s.store, key) })
		_, err := s.create(key)
		require.NoError(t, <-retired)
		require.ErrorIs(t, err, provisioning.Conflict, "the plan came too late")
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Zero(t, s.panel.count("create"))
		assert.True(t, s.intent(key).Retired)
	})
	bubble(t, "and it waits for an order that is being processed", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", toyFault{hold: 5 * time.Second})
		retired := make(chan error, 1)
		time.AfterFunc(time.Second, func() { retired <- provisioning.Retire(t.Context(), s.store, key) })
		_, err := s.create(key)
		require.NoError(t, err)
		require.NoError(t, <-retired)
		assert.True(t, s.intent(key).Retired)
		assert.EqualValues(t, "1", s.intent(key).ID)
	})
	bubble(t, "and what is no key is refused", func(t *testing.T) {
		require.ErrorIs(t, provisioning.Retire(t.Context(), &provisioning.MemIntents{}, "Order 1"), provisioning.Invalid)
	})
}
