package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// receiver takes notifications, stores them, and lets the worker serve them.
type receiver struct {
	inbox    *inbox
	services *serviceMap
	worker   *worker
	handler  http.Handler
	log      *slog.Logger
	unlock   func()
}

// open opens the state folder for this process alone. Close gives it back.
func (c config) open(ctx context.Context, s settings, log *slog.Logger) (*receiver, error) {
	services := newServiceMap(c.state)
	if _, err := services.all(); errors.Is(err, os.ErrNotExist) {
		return nil, usageError{fmt.Errorf("%s has no map of servers and services: run this program with -state %s -import FILE first", c.state, c.state)}
	} else if err != nil {
		return nil, usageError{err}
	}
	in, err := openInbox(c.state)
	if err != nil {
		return nil, err
	}
	locks, err := provisioning.NewFileIntents(c.state)
	if err != nil {
		return nil, err
	}
	brief, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := locks.Lock(brief, "whmcs-ipsync")
	if err != nil {
		return nil, fmt.Errorf("%s is in use by another run: %w", c.state, err)
	}
	r := &receiver{inbox: in, services: services, log: log, unlock: unlock}
	r.worker = newWorker(in, &syncer{panel: s.panel, whmcs: s.whmcs, services: services, separator: c.separator, ipv6: c.ipv6, clear: c.clear}, log)
	if err := in.sweep(); err != nil {
		log.Warn("what a crash left cannot be removed", "error", err)
	}
	if r.handler, err = solusvm2.NewEventHandler(s.events, r.store); err != nil {
		unlock()
		return nil, err
	}
	return r, nil
}

func (r *receiver) close() { r.unlock() }

// neverStored stands in where a receiver is made only to check its options.
func neverStored(context.Context, solusvm2.Event) error { return errors.New("not stored") }

// store is called by the handler for each authentic notification; the panel is answered when it returns. One without a server says nothing that could be looked
// at, and is accepted: refusing it would only fill the panel's list of tasks with failures.
func (r *receiver) store(ctx context.Context, e solusvm2.Event) error {
	id, ok := e.ServerID.Get()
	if !ok || id < 1 {
		r.log.Warn("a notification without a server was ignored", "event", e.Tag())
		return nil
	}
	if err := r.inbox.store(ctx, id, e); err != nil {
		return err
	}
	r.log.Info("stored", "server", id, "event", e.Tag())
	r.worker.nudge()
	return nil
}

// serve receives and works until ctx ends. What is not done then goes on with the next run.
func (r *receiver) serve(ctx context.Context, l net.Listener, path string, resync time.Duration) error {
	server := &http.Server{
		Handler: onlyAt(path, r.handler), ErrorLog: slog.NewLogLogger(r.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { r.worker.run(ctx) })
	running.Go(func() { r.compareAll(ctx, resync) })
	failed := make(chan error, 1)
	running.Go(func() { failed <- server.Serve(l) })
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patient, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	return server.Shutdown(patient)
}

// onlyAt answers 404 elsewhere. A http.ServeMux would redirect where a path differs a little, and the panel would follow without its parameters.
func onlyAt(path string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// compareAll looks at every server of the map, now and every so often: the panel is not known to repeat a notification that was lost, and nobody receives while
// this program does not run.
func (r *receiver) compareAll(ctx context.Context, every time.Duration) {
	if every <= 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		all, err := r.services.all()
		if err != nil {
			r.log.Error("the map cannot be read", "error", err)
		}
		r.worker.ask(slices.Collect(maps.Keys(all))...)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// receive is the program with real panels.
func (c config) receive(ctx context.Context, stdout, stderr io.Writer) error {
	level := slog.LevelInfo
	if c.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	s, err := c.readSettings(log)
	if err != nil {
		return err
	}
	r, err := c.open(ctx, s, log)
	if err != nil {
		return err
	}
	defer r.close()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return usageError{fmt.Errorf("-listen: %w", err)}
	}
	say(stdout, "Receiving at http://%s%s for the panel at %s.\n", l.Addr(), c.path, s.panel.BaseURL())
	if waiting, err := r.inbox.failures(); err != nil || len(waiting) > 0 {
		log.Warn("servers wait for a person; -failed lists them", "servers", len(waiting), "error", err)
	}
	err = r.serve(ctx, l, c.path, c.resync)
	if counts, countErr := r.inbox.servers(); countErr == nil && len(counts) > 0 {
		log.Info("stopped; the next run continues", "servers", len(counts))
	}
	return err
}
