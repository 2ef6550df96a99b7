//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// fleet is the worker processes.
type fleet struct {
	setup        setup
	seed         uint64
	stderr       io.Writer
	slots        []*slot
	kills, stops atomic.Int64
}

// slot is the place of one worker, which is replaced when it was killed.
type slot struct {
	mu sync.Mutex // held while something is done to the worker
	*process
}

type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	woken time.Time // from a stop
}

func newFleet(o options, s setup, stderr io.Writer) *fleet {
	f := &fleet{setup: s, seed: o.seed, stderr: stderr}
	for range o.workers {
		f.slots = append(f.slots, &slot{})
	}
	return f
}

// start starts a worker and waits until it works.
func (f *fleet) start() (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	cmd := exec.Command(self) //nolint:gosec,noctx // this program; it ends when its standard input does
	cmd.Env = append(os.Environ(), envWorker+"=1")
	cmd.Stderr = f.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	p := &process{cmd: cmd, stdin: in}
	err = json.NewEncoder(in).Encode(f.setup)
	if err == nil {
		_, err = bufio.NewReader(out).ReadString('\n')
	}
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("worker did not start: %w", err)
	}
	return p, nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = p.stdin.Close()
}

func (f *fleet) startAll() (err error) {
	for _, s := range f.slots {
		if s.process, err = f.start(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) killAll() {
	for _, s := range f.slots {
		if s.process != nil {
			s.kill()
		}
	}
}

// torment kills and stops workers until ctx ends. In the end all of them run.
func (f *fleet) torment(ctx context.Context, pause time.Duration) error {
	var all sync.WaitGroup
	var killing, freezing error
	all.Go(func() { killing = f.again(ctx, "kills", pause, f.replace) })
	all.Go(func() { freezing = f.again(ctx, "stops", pause, f.freeze) })
	all.Wait()
	return errors.Join(killing, freezing)
}

// again does something to a random worker, again and again.
func (f *fleet) again(ctx context.Context, purpose string, pause time.Duration, do func(*slot, *rand.Rand) error) error {
	random := generator(f.seed, purpose)
	for wait(ctx, pause/2+time.Duration(random.Int64N(int64(pause)))) == nil {
		s := f.slots[random.IntN(len(f.slots))]
		s.mu.Lock()
		err := do(s, random)
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// replace kills a worker, a second after it has woken up at the earliest, and starts another one.
func (f *fleet) replace(s *slot, _ *rand.Rand) (err error) {
	_ = wait(context.Background(), time.Second-time.Since(s.woken))
	s.kill()
	f.kills.Add(1)
	s.process, err = f.start()
	return err
}

// freeze stops a worker for a while, often for longer than its lease.
func (f *fleet) freeze(s *slot, random *rand.Rand) error {
	if s.process == nil {
		return nil // it could not be started again, which replace reports
	}
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	f.stops.Add(1)
	_ = wait(context.Background(), 100*time.Millisecond+time.Duration(random.Int64N(int64(3*time.Second))))
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("continue: %w", err)
	}
	s.woken = time.Now()
	return nil
}

// wait waits; it fails when ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return errors.Join(errEnded, ctx.Err())
	case <-t.C:
		return nil
	}
}

var errEnded = errors.New("it has ended")
