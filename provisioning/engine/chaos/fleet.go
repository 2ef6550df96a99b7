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
	"syscall"
	"time"
)

// fleet is the worker processes.
type fleet struct {
	setup  setup
	stderr io.Writer
	random *rand.Rand

	mu           sync.Mutex
	running      []*process
	kills, stops int
}

type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	woken time.Time // from a stop
}

func newFleet(o options, s setup, stderr io.Writer) *fleet {
	return &fleet{setup: s, stderr: stderr, random: generator(o.seed, "processes"), running: make([]*process, o.workers)}
}

// start starts a worker and waits until it works.
func (f *fleet) start() (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	cmd := exec.Command(self) // #nosec G204 -- this program
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

func (f *fleet) startAll() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.running {
		p, err := f.start()
		if err != nil {
			return err
		}
		f.running[i] = p
	}
	return nil
}

func (f *fleet) killAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range f.running {
		if p != nil {
			p.kill()
		}
		f.running[i] = nil
	}
}

// torment kills and stops workers until ctx ends. In the end all of them run.
func (f *fleet) torment(ctx context.Context, pause time.Duration) error {
	for {
		if err := wait(ctx, pause/2+rand.N(pause)); err != nil { // #nosec G404 -- how long things take is not repeatable anyway
			return nil
		}
		i := f.random.IntN(len(f.running))
		if f.random.IntN(2) == 0 {
			if err := f.replace(i); err != nil {
				return err
			}
			continue
		}
		if err := f.freeze(ctx, i, 100*time.Millisecond+time.Duration(f.random.Int64N(int64(4*time.Second)))); err != nil {
			return err
		}
	}
}

// replace kills a worker, unless it has just woken up, and starts another one.
func (f *fleet) replace(i int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.running[i].woken) < time.Second {
		return nil
	}
	f.running[i].kill()
	f.kills++
	p, err := f.start()
	f.running[i] = p
	return err
}

// freeze stops a worker for a while, often for longer than its lease.
func (f *fleet) freeze(ctx context.Context, i int, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.running[i]
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	f.stops++
	_ = wait(ctx, d)
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("continue: %w", err)
	}
	p.woken = time.Now()
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
