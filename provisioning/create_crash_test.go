package provisioning_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// process runs CreateOnce as a process of its own does, which dies where something panics with errKilled. Its locks are then given back, which the operating
// system does for a real one (TestAKilledProcessGivesItsLockBack).
func process(ctx context.Context, t *testing.T, store provisioning.Intents, panel *toyPanel, key string, o provisioning.CreateOptions) (c provisioning.Created, err error) {
	defer func() {
		if r := recover(); r != nil {
			if killed, ok := r.(error); !ok || !errors.Is(killed, errKilled) {
				panic(r)
			}
			c, err = provisioning.Created{}, errKilled
		}
	}()
	return provisioning.CreateOnce(ctx, &toyProvider{panel}, watch(t, store), order(key), o)
}

func TestACrashAfterAnyStageMakesOneServerAndOneInstallation(t *testing.T) {
	t.Parallel()
	stages := []provisioning.CreateStage{
		provisioning.StagePlanned, provisioning.StageCreated, provisioning.StageMarked, provisioning.StageBuildPlanned, provisioning.StageBuilding,
	}
	for _, stage := range stages {
		for _, installs := range []bool{false, true} {
			if installs && stage == provisioning.StageBuildPlanned {
				continue // such a panel has no build
			}
			dir := t.TempDir()
			bubble(t, fmt.Sprintf("%s, the panel installs by itself: %v", stage, installs), func(t *testing.T) {
				s := newShop(t)
				s.panel.installs = installs
				_, err := process(t.Context(), t, fileStore(t, dir), s.panel, "order-1",
					provisioning.CreateOptions{OnStage: func(seen provisioning.CreateStage, _ provisioning.ID) {
						if seen == stage {
							panic(errKilled)
						}
					}})
				require.ErrorIs(t, err, errKilled)
				_, err = process(t.Context(), t, fileStore(t, dir), s.panel, "order-2", provisioning.CreateOptions{})
				require.NoError(t, err, "another order of the owner")
				c, err := process(t.Context(), t, fileStore(t, dir), s.panel, "order-1", provisioning.CreateOptions{})
				require.NoError(t, err)
				require.NoError(t, c.Wait(t.Context(), provisioning.WaitOptions{}))
				s.exactly("order-1", "order-2")
			})
		}
	}
}

func TestACrashAtAnyRequestMakesOneServerAndOneInstallation(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"plan", "create", "mark", "open", "build"} {
		for name, fault := range map[string]toyFault{"before": killedBefore(), "after": killedAfter()} {
			for _, calm := range []bool{true, false} {
				dir := t.TempDir()
				bubble(t, fmt.Sprintf("killed %s %s, its successor starts at once: %v", name, op, calm), func(t *testing.T) {
					s := newShop(t)
					s.panel.inject(op, fault)
					_, err := process(t.Context(), t, fileStore(t, dir), s.panel, "order-1", provisioning.CreateOptions{})
					require.ErrorIs(t, err, errKilled)
					if !calm {
						time.Sleep(time.Hour)
					}
					_, err = process(t.Context(), t, fileStore(t, dir), s.panel, "order-1", provisioning.CreateOptions{})
					require.NoError(t, err)
					s.exactly("order-1")
				})
			}
		}
	}
}

// TestRandomTroubleNeverMakesTwo lets three orders of one owner run at once, each by two workers that are killed, stopped and cancelled, against a panel that
// refuses, loses, delays and breaks at random. Everything it does is within what is promised: a request is carried out within 2 minutes of the time until
// which it may be sent.
func TestRandomTroubleNeverMakesTwo(t *testing.T) {
	t.Parallel()
	const runs = 300
	var total tally
	t.Cleanup(func() {
		t.Logf("%d runs, %d orders, %d servers; %d creates and %d builds sent; %d processes killed, %d calls cancelled", runs, 3*runs, total.servers,
			total.creates, total.builds,
			total.killed, total.cancelled)
	})
	for seed := range uint64(runs) {
		bubble(t, fmt.Sprint(seed), func(t *testing.T) { randomTrouble(t, rand.New(rand.NewPCG(seed, 1)), &total) })
	}
}

type tally struct {
	mu                                          sync.Mutex
	servers, creates, builds, killed, cancelled int
}

func randomTrouble(t *testing.T, rnd *rand.Rand, total *tally) {
	s, store := newShop(t), &provisioning.MemIntents{}
	s.panel.installs = rnd.IntN(4) == 0
	s.panel.add("7", "", 0)
	for _, op := range []string{"plan", "create", "mark", "find", "open", "build"} {
		for range rnd.IntN(8) {
			s.panel.inject(op, randomFault(rnd, op))
		}
	}
	keys := []string{"order-1", "order-2", "order-3"}
	var ids sync.Map
	var wg sync.WaitGroup
	for _, key := range keys {
		for range 2 {
			start, patience := time.Duration(rnd.Int64N(int64(time.Minute))), 1+rnd.IntN(100)
			wg.Go(func() {
				time.Sleep(start)
				for range 1000 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(patience)*time.Second)
					c, err := process(ctx, t, store, s.panel, key, provisioning.CreateOptions{})
					cancel()
					total.count(err)
					if err == nil {
						known, loaded := ids.LoadOrStore(key, c.ID)
						assert.True(t, !loaded || known == c.ID, "%s is %s and %s", key, known, c.ID)
						return
					}
					if patience < 400 {
						patience++
					}
					time.Sleep(time.Second)
				}
				t.Errorf("%s did not come through", key)
			})
		}
	}
	wg.Wait()
	total.mu.Lock()
	total.servers += len(s.panel.all()) - 1
	total.creates += s.panel.count("create")
	total.builds += s.panel.count("build")
	total.mu.Unlock()
	s.panel.remove("1")
	s.exactly(keys...)
}

func (c *tally) count(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, errKilled):
		c.killed++
	case errors.Is(err, context.DeadlineExceeded):
		c.cancelled++
	}
}

func randomFault(rnd *rand.Rand, op string) toyFault {
	switch rnd.IntN(8) {
	case 0:
		return refused()
	case 1:
		return killedBefore()
	case 2:
		return killedAfter()
	case 3:
		return toyFault{hold: time.Duration(rnd.Int64N(int64(5 * time.Minute))), slow: time.Duration(rnd.Int64N(int64(time.Minute)))}
	case 4:
		return toyFault{}
	}
	if op == "plan" || op == "find" || op == "open" {
		return broken()
	}
	switch rnd.IntN(3) {
	case 0:
		return lost()
	case 1:
		return lostAfter()
	}
	return lateBy(time.Duration(rnd.Int64N(int64(2 * time.Minute))))
}

// TestALateCommitBeyondWhatIsPromised shows the edge of the promise: a panel that carries out a create later than SendWindow + Settle makes a second server.
func TestALateCommitBeyondWhatIsPromised(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"inside": settled - 5*time.Second, "beyond": settled + time.Minute} {
		bubble(t, name, func(t *testing.T) {
			s := newShop(t)
			s.panel.inject("create", lateBy(late))
			_, err := s.create("order-1")
			require.NoError(t, err)
			if late < settled {
				s.exactly("order-1")
				return
			}
			time.Sleep(10 * time.Minute)
			assert.Len(t, s.panel.all(), 2)
		})
	}
}
