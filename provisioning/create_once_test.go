package provisioning_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// The numbers behind the promises: a create or a build may be sent for 30 s, and be carried out for 2 minutes after that.
const (
	window  = 30 * time.Second
	settled = window + 2*time.Minute
)

func order(key string) provisioning.CreateRequest {
	return provisioning.CreateRequest{Key: key, Hostname: key + ".example.net", Plan: "small", Image: "debian-13", Owner: provisioning.Owner{Ref: "7"}}
}

// shop is what the tests of CreateOnce share: a panel that installs for 20 s, a provider and a store.
type shop struct {
	t        *testing.T
	panel    *toyPanel
	provider *toyProvider
	store    *watchedIntents
}

func newShop(t *testing.T) *shop {
	panel := &toyPanel{buildTime: 20 * time.Second}
	return &shop{t: t, panel: panel, provider: &toyProvider{panel}, store: watch(t, &provisioning.MemIntents{})}
}

func (s *shop) create(key string) (provisioning.Created, error) {
	return s.createFor(s.t.Context(), key)
}

func (s *shop) createFor(ctx context.Context, key string) (provisioning.Created, error) {
	return provisioning.CreateOnce(ctx, s.provider, s.store, order(key), provisioning.CreateOptions{})
}

// exactly fails unless the panel holds one server for each key and no other, each installed once, also when everything late has happened.
func (s *shop) exactly(keys ...string) {
	s.t.Helper()
	time.Sleep(10 * time.Minute)
	var have []string
	for _, server := range s.panel.all() {
		have = append(have, server.name)
		assert.Equal(s.t, 1, server.builds, "installations of server %s (%s)", server.id, server.name)
	}
	slices.Sort(have)
	slices.Sort(keys)
	assert.Equal(s.t, keys, have, "the servers of the panel")
}

func (s *shop) intent(key string) provisioning.Intent {
	s.t.Helper()
	in, err := s.store.Load(s.t.Context(), key)
	require.NoError(s.t, err)
	return in
}

// bubble runs a case in parallel with the others, with a time of its own.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

// watchedIntents holds its users to the contract of Intents: no Save without the lock of the scope, and never two locks at once.
type watchedIntents struct {
	provisioning.Intents
	t     *testing.T
	mu    sync.Mutex
	held  map[string]bool
	saves int
	fail  func(save int, i provisioning.Intent) error // makes a Save fail
}

func watch(t *testing.T, store provisioning.Intents) *watchedIntents {
	return &watchedIntents{Intents: store, t: t, held: map[string]bool{}}
}

func (w *watchedIntents) Lock(ctx context.Context, scope string) (func(), error) {
	unlock, err := w.Intents.Lock(ctx, scope)
	if err != nil {
		return nil, err
	}
	w.set(scope, true)
	return func() { w.set(scope, false); unlock() }, nil
}

func (w *watchedIntents) set(scope string, held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	assert.NotEqual(w.t, held, w.held[scope], "the lock of %s", scope)
	w.held[scope] = held
}

func (w *watchedIntents) Save(ctx context.Context, i provisioning.Intent) error {
	w.mu.Lock()
	assert.True(w.t, w.held[i.Scope], "saved key %s without the lock of %s", i.Key, i.Scope)
	assert.NoError(w.t, ctx.Err(), "what is known must be stored also when the caller's context has ended")
	w.saves++
	if w.fail != nil {
		if err := w.fail(w.saves, i); err != nil {
			w.mu.Unlock()
			return err
		}
	}
	w.mu.Unlock()
	return w.Intents.Save(ctx, i)
}

func TestAnOrderBecomesOneServer(t *testing.T) {
	t.Parallel()
	for name, installs := range map[string]bool{"on a panel that allocates and then builds": false, "on a panel that installs at once": true} {
		bubble(t, name, func(t *testing.T) {
			s := newShop(t)
			s.panel.installs = installs
			old, foreign := s.panel.add("7", "blog", 1), s.panel.add("8", "shop", 1)
			var stages []provisioning.CreateStage
			start := time.Now()
			o := provisioning.CreateOptions{OnStage: func(stage provisioning.CreateStage, id provisioning.ID) {
				stages = append(stages, stage)
				if stage == provisioning.StagePlanned {
					in := s.intent("order-1")
					assert.Equal(t, []provisioning.ID{old}, in.Before, "the servers of this owner only, not %s", foreign)
					assert.WithinDuration(t, start.Add(window), in.SendBefore, time.Millisecond, "how long the create may be sent")
					assert.Zero(t, s.panel.count("create"), "stored before it is sent")
					assert.Empty(t, id)
				}
			}}
			c, err := provisioning.CreateOnce(t.Context(), s.provider, s.store, order("order-1"), o)
			require.NoError(t, err)
			assert.EqualValues(t, "3", c.ID)
			assert.Equal(t, "uuid-3", c.UUID)
			assert.Equal(t, "first-password", c.Password.Reveal())
			require.NoError(t, c.Wait(t.Context(), provisioning.WaitOptions{}))
			assert.InDelta(t, 20, time.Since(start).Seconds(), 3, "seconds until it is usable")

			want := []provisioning.CreateStage{provisioning.StagePlanned, provisioning.StageCreated, provisioning.StageMarked, provisioning.StageBuilding}
			if !installs {
				want = slices.Insert(want, 3, provisioning.StageBuildPlanned)
			}
			assert.Equal(t, want, stages)
			in := s.intent("order-1")
			assert.Equal(t, c.ID, in.ID)
			assert.Equal(t, c.UUID, in.UUID)
			assert.True(t, in.Marked)
			assert.Equal(t, !installs, !in.BuildBefore.IsZero())
			s.exactly("blog", "shop", "order-1")
		})
	}
}

// TestTheTimeUntilWhichMayBeSentIsPlainWallTime runs outside of a bubble, whose times have no monotonic clock. That clock stands still while a machine is
// suspended, so a comparison with it would let a create be sent hours late.
func TestTheTimeUntilWhichMayBeSentIsPlainWallTime(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	require.Contains(t, time.Now().String(), "m=+")
	_, err := s.create("order-1")
	require.NoError(t, err)
	in := s.intent("order-1")
	for _, at := range []time.Time{in.SendBefore, in.BuildBefore} {
		assert.NotContains(t, at.String(), "m=")
		assert.Equal(t, at.Truncate(time.Millisecond), at, "a database keeps milliseconds")
		assert.WithinDuration(t, time.Now().Add(window), at, 20*time.Second)
	}
}

func TestTheSameKeyGivesTheSameServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		first, err := s.create("order-1")
		require.NoError(t, err)
		changed := order("order-1")
		changed.Plan, changed.Hostname = "large", "other.example.net"
		for range 3 {
			again, err := provisioning.CreateOnce(t.Context(), s.provider, s.store, changed, provisioning.CreateOptions{})
			require.NoError(t, err)
			assert.Equal(t, first.ID, again.ID)
			assert.Empty(t, again.Password, "it is told once")
			require.NoError(t, again.Wait(t.Context(), provisioning.WaitOptions{}))
		}
		assert.Equal(t, 1, s.panel.count("create"))
		assert.Equal(t, 1, s.panel.count("mark"))
		s.exactly("order-1")
	})
}

func TestTenCallersOfOneKeyGetOneServer(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]toyFault{"in fair weather": {}, "while the answer is lost": lostAfter(), "while the create comes late": lateBy(40 * time.Second)} {
		bubble(t, name, func(t *testing.T) {
			s := newShop(t)
			s.panel.inject("create", fault)
			s.panel.inject("build", fault)
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					c, err := s.create("order-1")
					if assert.NoError(t, err) {
						assert.EqualValues(t, "1", c.ID)
					}
				})
			}
			wg.Wait()
			s.exactly("order-1")
		})
	}
}

func TestWithoutItsIntentAnOrderIsFoundByItsKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		first, err := s.create("order-1")
		require.NoError(t, err)
		s.store = watch(t, &provisioning.MemIntents{})
		again, err := s.create("order-1")
		require.NoError(t, err)
		assert.Equal(t, first.ID, again.ID)
		s.exactly("order-1")
	})
}

func TestAKeyBelongsToOneOwner(t *testing.T) {
	t.Parallel()
	other := order("order-1")
	other.Owner.Ref = "8"

	bubble(t, "one after the other", func(t *testing.T) {
		s := newShop(t)
		_, err := s.create("order-1")
		require.NoError(t, err)
		c, err := provisioning.CreateOnce(t.Context(), s.provider, s.store, other, provisioning.CreateOptions{})
		require.ErrorIs(t, err, provisioning.Mismatch)
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Empty(t, c.ID, "another owner's server is not told")
		s.exactly("order-1")
	})

	bubble(t, "both at once", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("plan", toyFault{hold: time.Second}, toyFault{hold: time.Second})
		var errs [2]error
		var wg sync.WaitGroup
		for i, r := range []provisioning.CreateRequest{order("order-1"), other} {
			wg.Go(func() {
				_, errs[i] = provisioning.CreateOnce(t.Context(), s.provider, s.store, r, provisioning.CreateOptions{})
			})
		}
		wg.Wait()
		refused := errors.Join(errs[:]...)
		require.ErrorIs(t, refused, provisioning.Mismatch)
		assert.True(t, (errs[0] == nil) != (errs[1] == nil), "one comes through: %v", errs)
		s.exactly("order-1")
	})
}

func TestARefusedCreateMayBeTriedAgainAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", refused())
		c, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.Capacity)
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Empty(t, c.ID)
		assert.True(t, s.intent("order-1").Closed)
		open, err := s.store.Open(t.Context(), "toy.example/owner/7")
		require.NoError(t, err)
		assert.Empty(t, open)

		start := time.Now()
		_, err = s.create("order-1")
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
		s.exactly("order-1")
	})
}

func TestALostCreateIsResolvedByLooking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    toyFault
		installs bool
		after    time.Duration // when CreateOnce returns, at the latest a pause of 5 s later
		creates  int
	}{
		"the panel had carried it out":                             {lostAfter(), false, 0, 1},
		"the panel carries it out 5 s later":                       {lateBy(5 * time.Second), false, 5 * time.Second, 1},
		"the panel carries it out 40 s later":                      {lateBy(40 * time.Second), false, 40 * time.Second, 1},
		"the panel carries it out 90 s later":                      {lateBy(90 * time.Second), false, 90 * time.Second, 1},
		"the panel never carries it out":                           {lost(), false, settled, 2},
		"create stores the Key, the panel had carried it out":      {lostAfter(), true, 0, 1},
		"create stores the Key, the panel carries it out 90 later": {lateBy(90 * time.Second), true, 90 * time.Second, 1},
		"create stores the Key, the panel never carries it out":    {lost(), true, settled, 2},
	} {
		bubble(t, name, func(t *testing.T) {
			s := newShop(t)
			s.panel.installs = c.installs
			stranger := s.panel.add("7", "", 0) // was there before and is nobody's business of ours
			s.panel.inject("create", c.fault)
			start := time.Now()
			created, err := s.create("order-1")
			took := time.Since(start)
			require.NoError(t, err)
			assert.NotEqual(t, stranger, created.ID)
			assert.Equal(t, c.creates, s.panel.count("create"))
			assert.GreaterOrEqual(t, took, c.after)
			assert.LessOrEqual(t, took, c.after+5*time.Second)
			s.panel.remove(stranger)
			s.exactly("order-1")
		})
	}
}

func TestANewCreateIsSentOnceTheFirstCanNoLongerHappenAndNotBefore(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]provisioning.CreateOptions{
		"with the defaults":            {},
		"with a window and settle set": {SendWindow: 3 * time.Second, Settle: 7 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			wait := settled
			if o.Settle > 0 {
				wait = o.SendWindow + o.Settle
			}
			s := newShop(t)
			s.panel.inject("create", lost(), lost())
			_, err := provisioning.CreateOnce(t.Context(), s.provider, s.store, order("order-1"), o)
			require.NoError(t, err)
			sent := s.panel.sent["create"]
			require.Len(t, sent, 3)
			for i := 1; i < 3; i++ {
				assert.GreaterOrEqual(t, sent[i].Sub(sent[i-1]), wait)
				assert.LessOrEqual(t, sent[i].Sub(sent[i-1]), wait+time.Second)
			}
			s.exactly("order-1")
		})
	}
}

func TestALookProvesAbsenceAsOfItsBeginning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lateBy(140*time.Second))
		s.panel.inject("find", toyFault{slow: settled + time.Second}) // begins at once, sees nothing, and ends when nothing can happen any more
		_, err := s.create("order-1")
		require.NoError(t, err)
		assert.Equal(t, 1, s.panel.count("create"))
		s.exactly("order-1")
	})
}

func TestAnAnswerWithoutAServerIsUnclear(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		c, err := provisioning.CreateOnce(t.Context(), &forgetful{s.provider}, s.store, order("order-1"), provisioning.CreateOptions{})
		require.NoError(t, err)
		assert.EqualValues(t, "1", c.ID)
		assert.Equal(t, 1, s.panel.count("create"))
		s.exactly("order-1")
	})
}

// forgetful answers a create as a panel does that says yes and nothing else.
type forgetful struct{ *toyProvider }

func (f *forgetful) Create(ctx context.Context, r provisioning.CreateRequest, in provisioning.Intent) (provisioning.Created, error) {
	_, err := f.toyProvider.Create(ctx, r, in)
	return provisioning.Created{}, err
}

func TestSeveralCandidatesAreForAPersonToDecide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lostAfter())
		o := provisioning.CreateOptions{OnStage: func(stage provisioning.CreateStage, _ provisioning.ID) {
			if stage == provisioning.StagePlanned {
				s.panel.add("7", "", 0) // somebody else's, in the same moment
			}
		}}
		_, err := provisioning.CreateOnce(t.Context(), s.provider, s.store, order("order-1"), o)
		var conflict *provisioning.ConflictError
		require.ErrorAs(t, err, &conflict)
		assert.Equal(t, []provisioning.ID{"1", "2"}, conflict.Candidates)
		assert.Equal(t, "order-1", conflict.Key)
		require.ErrorIs(t, err, provisioning.Conflict)
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)

		_, err = s.create("order-2")
		require.ErrorIs(t, err, provisioning.Conflict, "another order of the owner could take one of the two")
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied, "nothing was sent for it")
		require.ErrorContains(t, err, "order order-1 of the same owner is not resolved")
		var before *provisioning.OrderBeforeError
		require.ErrorAs(t, err, &before)
		assert.Equal(t, "order-1", before.Key)
		assert.Equal(t, 1, s.panel.count("create"))

		s.panel.rename("2", "order-1")
		s.panel.remove("1")
		c, err := s.create("order-2")
		require.NoError(t, err)
		assert.EqualValues(t, "3", c.ID)
		c, err = s.create("order-1")
		require.NoError(t, err)
		assert.EqualValues(t, "2", c.ID, "the person decided by renaming it")
		s.exactly("order-1", "order-2")
	})
}

func TestTwoServersThatCarryTheKeyAreAConflictBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.add("7", "order-1", 1)
		s.panel.add("7", "order-1", 1)
		_, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.Conflict)
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Zero(t, s.panel.count("create"))
		assert.Zero(t, s.store.saves)
	})
}

func TestTwoOrdersOfOneOwnerAtOnceGetTwoServers(t *testing.T) {
	t.Parallel()
	faults := map[string]toyFault{
		"nothing goes wrong": {}, "refused": refused(), "not sent": broken(), "lost before": lost(), "lost after": lostAfter(),
		"5 s late": lateBy(5 * time.Second), "40 s late": lateBy(40 * time.Second), "90 s late": lateBy(90 * time.Second), "119 s late": lateBy(119 * time.Second),
	}
	for name, fault := range faults {
		for _, op := range []string{"create", "mark", "build"} {
			bubble(t, name+" at "+op, func(t *testing.T) {
				s := newShop(t)
				s.panel.inject(op, fault)
				keys := []string{"order-1", "order-2"}
				ids := make([]provisioning.ID, 2)
				var wg sync.WaitGroup
				for i, key := range keys {
					wg.Go(func() {
						c, err := s.create(key)
						if err != nil { // refused; a caller may call again
							c, err = s.create(key)
						}
						assert.NoError(t, err)
						ids[i] = c.ID
					})
				}
				wg.Wait()
				for i, key := range keys {
					in := s.intent(key)
					assert.Equal(t, ids[i], in.ID)
					assert.True(t, in.Marked)
				}
				assert.NotEqual(t, ids[0], ids[1])
				s.exactly(keys...)
			})
		}
	}
}

func TestWhileOneOrderIsUnclearNoOtherOfItsOwnerStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lateBy(60*time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := s.createFor(ctx, "order-1")
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)

		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = s.createFor(ctx, "order-2")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied, "nothing was sent for order-2")
		require.ErrorContains(t, err, "order order-1 of the same owner")
		assert.Equal(t, 1, s.panel.count("create"))

		other := order("order-3")
		other.Owner.Ref = "8"
		start := time.Now()
		_, err = provisioning.CreateOnce(t.Context(), s.provider, s.store, other, provisioning.CreateOptions{})
		require.NoError(t, err)
		assert.Zero(t, time.Since(start), "another owner does not wait")

		// Nobody ever asks for order-1 again: this call resolves it.
		c, err := provisioning.CreateOnce(t.Context(), s.provider, s.store, order("order-2"),
			provisioning.CreateOptions{OnStage: func(_ provisioning.CreateStage, id provisioning.ID) {
				assert.NotEqualValues(t, "2", id, "a stage of order-1")
			}})
		require.NoError(t, err)
		assert.EqualValues(t, "3", c.ID)
		assert.EqualValues(t, "2", s.intent("order-1").ID)
		assert.True(t, s.intent("order-1").Marked)
		_, err = s.create("order-1")
		require.NoError(t, err)
		s.exactly("order-1", "order-2", "order-3")
	})
}

func TestAServerThatCouldNotBeMarkedIsMarkedByTheNextCall(t *testing.T) {
	t.Parallel()
	bubble(t, "after a create that was answered", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("mark", broken())
		c, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.Unavailable)
		assert.EqualValues(t, "1", c.ID, "the server is known")
		assert.Zero(t, s.panel.count("build"), "it is not installed before it carries the Key")
		_, err = s.create("order-1")
		require.NoError(t, err)
		assert.Equal(t, 1, s.panel.count("create"))
		s.exactly("order-1")
	})
	bubble(t, "after a create whose answer was lost", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lostAfter())
		s.panel.inject("mark", broken())
		c, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.Unavailable)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied, "its fate is known")
		assert.EqualValues(t, "1", c.ID)
		_, err = s.create("order-1")
		require.NoError(t, err)
		s.exactly("order-1")
	})
	bubble(t, "on a panel that told the password, which is told nevertheless", func(t *testing.T) {
		s := newShop(t)
		s.panel.installs = true
		s.panel.inject("mark", broken())
		c, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.Unavailable)
		assert.Equal(t, "first-password", c.Password.Reveal())
		assert.Nil(t, c.Operation)
	})
	bubble(t, "while another order of the owner goes on", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("mark", broken())
		_, err := s.create("order-1")
		require.Error(t, err)
		s.panel.inject("create", lostAfter()) // now two servers have no name and were never built
		c, err := s.create("order-2")
		require.NoError(t, err)
		assert.EqualValues(t, "2", c.ID)
		_, err = s.create("order-1")
		require.NoError(t, err)
		s.exactly("order-1", "order-2")
	})
}

func TestALostBuildIsJoinedOrSentOnceMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  toyFault
		after  time.Duration
		builds int
	}{
		"the panel had started it":       {lostAfter(), 0, 1},
		"the panel starts it 5 s later":  {lateBy(5 * time.Second), 5 * time.Second, 1},
		"the panel starts it 40 s later": {lateBy(40 * time.Second), 40 * time.Second, 1},
		"the panel starts it 90 s later": {lateBy(90 * time.Second), 90 * time.Second, 1},
		"the panel never starts it":      {lost(), settled, 2},
	} {
		bubble(t, name, func(t *testing.T) {
			s := newShop(t)
			s.panel.inject("build", c.fault)
			start := time.Now()
			created, err := s.create("order-1")
			took := time.Since(start)
			require.NoError(t, err)
			assert.Equal(t, c.builds, s.panel.count("build"))
			assert.GreaterOrEqual(t, took, c.after)
			assert.LessOrEqual(t, took, c.after+5*time.Second)
			require.NoError(t, created.Wait(t.Context(), provisioning.WaitOptions{}))
			s.exactly("order-1")
		})
	}
}

func TestARefusedBuildMayBeTriedAgainAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("build", refused(), refused())
		for range 2 {
			c, err := s.create("order-1")
			require.ErrorIs(t, err, provisioning.Capacity)
			require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.EqualValues(t, "1", c.ID)
			assert.True(t, s.intent("order-1").BuildBefore.IsZero())
		}
		start := time.Now()
		_, err := s.create("order-1")
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
		s.exactly("order-1")
	})
}

func TestTwoCallersOfOneKeyBuildOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("build", toyFault{hold: 25 * time.Second}) // the first caller is slow to send it
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				_, err := s.create("order-1")
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.Equal(t, 1, s.panel.count("build"))
		s.exactly("order-1")
	})
}

func TestAContextThatEndsWhileTheFateIsUnclearIsToldSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op    string
		fault toyFault
		id    provisioning.ID
	}{
		"of a create":                            {"create", lost(), ""},
		"of a create that comes late":            {"create", lateBy(time.Minute), ""},
		"of an installation":                     {"build", lost(), "1"},
		"of an installation that comes late":     {"build", lateBy(time.Minute), "1"},
		"of an installation the server is known": {"build", lateBy(100 * time.Second), "1"},
	} {
		bubble(t, name, func(t *testing.T) {
			s := newShop(t)
			s.panel.inject(c.op, c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			start := time.Now()
			created, err := s.createFor(ctx, "order-1")
			assert.Equal(t, 10*time.Second, time.Since(start))
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.True(t, e.MaybeApplied)
			assert.Equal(t, c.id, created.ID)
			assert.Nil(t, created.Operation)

			_, err = s.create("order-1")
			require.NoError(t, err)
			s.exactly("order-1")
		})
	}
}

func TestDoubtOutlivesAStoreThatCannotAnswer(t *testing.T) {
	t.Parallel()
	for op, id := range map[string]provisioning.ID{"create": "", "build": "1"} {
		bubble(t, "the lock is held by another process until the context ends, after a lost "+op, func(t *testing.T) {
			s := newShop(t)
			s.panel.inject(op, lost())
			time.AfterFunc(time.Second, func() {
				_, err := s.store.Lock(t.Context(), "toy.example/owner/7")
				assert.NoError(t, err)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			c, err := s.createFor(ctx, "order-1")
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, id, c.ID)
		})
		bubble(t, "the store breaks after a lost "+op, func(t *testing.T) {
			s := newShop(t)
			s.panel.inject(op, lost())
			c, err := provisioning.CreateOnce(t.Context(), s.provider, &brokenAfter{Intents: s.store, loads: 1}, order("order-1"), provisioning.CreateOptions{})
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			require.ErrorIs(t, err, errDisk)
			assert.Equal(t, id, c.ID)
		})
	}
	bubble(t, "but there is none when nothing was sent", func(t *testing.T) {
		s := newShop(t)
		_, err := provisioning.CreateOnce(t.Context(), s.provider, &brokenAfter{Intents: s.store}, order("order-1"), provisioning.CreateOptions{})
		require.ErrorIs(t, err, errDisk)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		s.exactly()
	})
}

var errDisk = errors.New("the disk is full")

// brokenAfter fails to load after some loads.
type brokenAfter struct {
	provisioning.Intents
	loads int
}

func (b *brokenAfter) Load(ctx context.Context, key string) (provisioning.Intent, error) {
	if b.loads--; b.loads < 0 {
		return provisioning.Intent{}, errDisk
	}
	return b.Intents.Load(ctx, key)
}

func TestEverySaveMayFail(t *testing.T) {
	t.Parallel()
	for _, fault := range []toyFault{{}, lostAfter(), lost(), refused()} {
		for fails := 1; fails <= 6; fails++ {
			bubble(t, "and the next call ends with one server", func(t *testing.T) {
				s := newShop(t)
				s.panel.inject("create", fault)
				s.store.fail = func(save int, _ provisioning.Intent) error {
					if save == fails {
						return errDisk
					}
					return nil
				}
				_, err := s.create("order-1")
				for range 3 {
					if err != nil {
						_, err = s.create("order-1")
					}
				}
				require.NoError(t, err)
				if fault.err == nil {
					assert.Equal(t, 1, s.panel.count("create"))
				}
				s.exactly("order-1")
			})
		}
	}
	bubble(t, "and when the plan cannot be stored, nothing is sent", func(t *testing.T) {
		s := newShop(t)
		s.store.fail = func(int, provisioning.Intent) error { return errDisk }
		_, err := s.create("order-1")
		require.ErrorIs(t, err, errDisk)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		s.exactly()
	})
	bubble(t, "and when the server cannot be stored, it is told", func(t *testing.T) {
		s := newShop(t)
		s.store.fail = func(_ int, i provisioning.Intent) error {
			if i.ID != "" {
				return errDisk
			}
			return nil
		}
		c, err := s.create("order-1")
		require.ErrorIs(t, err, errDisk)
		assert.EqualValues(t, "1", c.ID)
	})
}

func TestLookingForALostCreateGivesUp(t *testing.T) {
	t.Parallel()
	bubble(t, "after three failed looks in a row", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lostAfter())
		s.panel.inject("find", broken(), broken(), broken())
		_, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		require.ErrorIs(t, err, provisioning.Unavailable)
		assert.Equal(t, 3, s.panel.count("find"))
		_, err = s.create("order-1")
		require.NoError(t, err)
		s.exactly("order-1")
	})
	bubble(t, "not after two", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lostAfter())
		s.panel.inject("find", broken(), broken())
		_, err := s.create("order-1")
		require.NoError(t, err)
		s.exactly("order-1")
	})
	bubble(t, "not after many that are not in a row", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lateBy(20*time.Second))
		s.panel.inject("find", broken(), broken(), toyFault{}, broken(), broken(), toyFault{}, broken())
		_, err := s.create("order-1")
		require.NoError(t, err)
		s.exactly("order-1")
	})
	bubble(t, "at once when the panel refuses to show its servers", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lostAfter())
		s.panel.inject("find", toyFault{err: &provisioning.Error{Kind: provisioning.Unauthorized, Status: 401}})
		_, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		require.ErrorIs(t, err, provisioning.Unauthorized)
		assert.Equal(t, 1, s.panel.count("find"))
	})
	bubble(t, "at once when an installation is unclear and the token expires", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("build", lost())
		s.panel.inject("open", toyFault{}, toyFault{err: &provisioning.Error{Kind: provisioning.Unauthorized, Status: 401}})
		c, err := s.create("order-1")
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		require.ErrorIs(t, err, provisioning.Unauthorized)
		assert.EqualValues(t, "1", c.ID)
	})
	bubble(t, "and waits as long as the panel asks for", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lostAfter())
		s.panel.inject("find", toyFault{err: &provisioning.Error{Kind: provisioning.RateLimited, Status: 429, RetryAfter: 17 * time.Second}})
		_, err := s.create("order-1")
		require.NoError(t, err)
		assert.Equal(t, 17*time.Second, s.panel.sent["find"][1].Sub(s.panel.sent["find"][0]))
	})
}

func TestAServerThatIsGoneIsNeverMadeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		c, err := s.create("order-1")
		require.NoError(t, err)
		s.panel.remove(c.ID)
		for _, later := range []time.Duration{0, time.Hour} {
			time.Sleep(later)
			gone, err := s.create("order-1")
			require.ErrorIs(t, err, provisioning.NotFound)
			require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Equal(t, c.ID, gone.ID, "which one is gone")
		}
		s.exactly()
	})
}

func TestAnotherServerUnderTheStoredIDIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("mark", broken())
		c, err := s.create("order-1")
		require.Error(t, err)
		s.panel.remove(c.ID) // the panel was restored from a backup and gives the id away again
		s.panel.made--
		other := s.panel.add("8", "theirs", 0)
		require.Equal(t, c.ID, other)
		s.panel.server(other).uuid = "uuid-of-theirs"

		_, err = s.create("order-1")
		require.ErrorIs(t, err, provisioning.Mismatch)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Zero(t, s.panel.count("build"))
		assert.Equal(t, "theirs", s.panel.all()[0].name)
	})
}

func TestAPausedProcessSendsNothingAfterItsWindow(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"create", "build"} {
		for name, pause := range map[string]time.Duration{"just too late": window, "an hour late": time.Hour} {
			bubble(t, op+" "+name, func(t *testing.T) {
				s := newShop(t)
				s.panel.inject(op, toyFault{hold: pause})
				_, err := s.create("order-1")
				require.ErrorContains(t, err, "its time has passed")
				require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
				assert.Zero(t, s.panel.count(op))
				start := time.Now()
				_, err = s.create("order-1")
				require.NoError(t, err)
				assert.Zero(t, time.Since(start), "it was not sent, so nothing is waited for")
				s.exactly("order-1")
			})
		}
	}
	bubble(t, "while another process has built the server meanwhile", func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("build", toyFault{hold: time.Hour})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				_, err := s.create("order-1")
				if err != nil {
					assert.ErrorContains(t, err, "its time has passed")
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 1, s.panel.count("build"))
		s.exactly("order-1")
	})
}

func TestARefusalThatComesLateDoesNotClearTheDoubtOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		// The first caller is stopped before it sends its build, until after the second has sent one whose answer is lost.
		s.panel.inject("build", toyFault{hold: settled + 20*time.Second}, lateBy(100*time.Second))
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				_, err := s.create("order-1")
				if err != nil {
					assert.ErrorContains(t, err, "its time has passed")
					_, err = s.create("order-1")
				}
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.Equal(t, 1, s.panel.count("build"))
		s.exactly("order-1")
	})
}

func TestAPanicOfTheCallerGivesTheLockBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		o := provisioning.CreateOptions{OnStage: func(provisioning.CreateStage, provisioning.ID) { panic(errKilled) }}
		assert.PanicsWithError(t, errKilled.Error(), func() {
			_, _ = provisioning.CreateOnce(t.Context(), s.provider, s.store, order("order-1"), o)
		})
		_, err := s.create("order-2")
		require.NoError(t, err)
		_, err = s.create("order-1")
		require.NoError(t, err)
		s.exactly("order-1", "order-2")
	})
}

func TestCreateStepSaysWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.panel.inject("create", lateBy(20*time.Second))
		s.panel.inject("build", lateBy(20*time.Second))
		step := func(key string) provisioning.CreateProgress {
			before := time.Now()
			p, err := provisioning.CreateStep(t.Context(), s.provider, s.store, order(key), provisioning.CreateOptions{})
			require.NoError(t, err)
			assert.Zero(t, time.Since(before), "a step does not wait")
			return p
		}
		// until steps as the engine does: it comes back when it was told to.
		until := func(key string, done func(provisioning.CreateProgress) bool) provisioning.CreateProgress {
			for {
				p := step(key)
				if done(p) {
					return p
				}
				require.Positive(t, p.Again)
				require.LessOrEqual(t, p.Again, 5*time.Second)
				time.Sleep(p.Again)
			}
		}
		p := step("order-1")
		assert.True(t, p.Unclear)
		assert.Equal(t, "the fate of its create", p.Waiting)
		assert.Empty(t, p.ID)

		p = step("order-2")
		assert.False(t, p.Unclear, "nothing was sent for order-2")
		assert.Equal(t, "order order-1 of the same owner, whose create is not resolved", p.Waiting)

		p = until("order-1", func(p provisioning.CreateProgress) bool { return p.ID != "" })
		assert.True(t, p.Unclear)
		assert.Equal(t, "the fate of its installation", p.Waiting)
		assert.Positive(t, p.Again)

		p = step("order-2")
		assert.Zero(t, p.Again, "the installation of another order holds nobody up")

		p = until("order-1", func(p provisioning.CreateProgress) bool { return p.Again == 0 })
		assert.False(t, p.Unclear)
		assert.Empty(t, p.Waiting)
		require.NotNil(t, p.Operation)
		s.exactly("order-1", "order-2")
	})
}

func TestWhatCannotBeOrderedIsRefusedBeforeAnything(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	bad := order("Order 1")
	_, err := provisioning.CreateOnce(t.Context(), s.provider, s.store, bad, provisioning.CreateOptions{})
	require.ErrorIs(t, err, provisioning.Invalid)
	require.ErrorContains(t, err, "key: must be 1 to 40 characters")
	_, err = provisioning.CreateOnce(t.Context(), struct{}{}, s.store, order("order-1"), provisioning.CreateOptions{})
	require.ErrorIs(t, err, provisioning.Unsupported)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.createFor(ctx, "order-1")
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	assert.Empty(t, s.panel.sent)
}
