package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// shop takes orders through their whole way. This file is the part to copy.
type shop struct {
	panel    provisioning.Provider
	intents  provisioning.Intents
	records  *ledger
	create   provisioning.CreateOptions
	watchMax time.Duration
}

// result is what became of one order.
type result struct {
	order    order
	image    string                // operating system that was ordered, as the catalog calls it
	server   provisioning.Instance // as last seen; its ID is set as soon as the server is known
	password provisioning.Secret   // empty when an earlier run was told it
	err      error                 // what ended the way to a running server
	record   entry                 // on the OSPAB panel
	ospabErr error                 // never ends the way
}

// provision takes one order to a running server that the customer sees on the OSPAB panel. Calling it again with the same order, also after a crash, continues.
func (s *shop) provision(ctx context.Context, o order, show *progress) (r result) {
	r.order = o
	request, image, err := s.resolve(ctx, o.CreateRequest)
	if err != nil {
		r.err = err
		return r
	}
	r.image = image
	s.continues(ctx, o.Key, show)

	options := s.create
	options.OnStage = func(stage provisioning.CreateStage, id provisioning.ID) {
		if stage == provisioning.StagePlanned {
			_ = s.records.begin(o.Key) // if this fails, the record counts as uncertain
		}
		show.stage(stage, id)
	}
	created, err := provisioning.CreateOnce(ctx, s.panel, s.intents, request, options)
	r.server.ID, r.password = created.ID, created.Password
	if err != nil {
		r.err = err
		return r
	}
	if r.err = s.look(ctx, &r.server); r.err != nil {
		return r
	}
	s.register(ctx, &r, show)

	if r.err = created.Wait(ctx, provisioning.WaitOptions{Max: s.watchMax, OnProgress: show.building}); r.err != nil {
		return r
	}
	show.line("ready", "the installation is complete")
	if r.err = s.observe(ctx, &r.server); r.err != nil {
		return r
	}
	show.state(r.server.State())
	s.report(ctx, &r, show)
	if usage, err := provisioning.ReadUsage(ctx, s.panel, r.server.ID); err == nil {
		r.server.Traffic = provisioning.Some(usage.Traffic)
	}
	return r
}

// look reads the server. What was known stays when that fails.
func (s *shop) look(ctx context.Context, server *provisioning.Instance) error {
	seen, err := s.panel.Instance(ctx, server.ID)
	if err == nil {
		*server = seen
	}
	return err
}

// continues says where an order continues that was begun before.
func (s *shop) continues(ctx context.Context, key string, show *progress) {
	in, err := s.intents.Load(ctx, key)
	if err != nil || in.Closed {
		return
	}
	if in.ID == "" {
		show.line("continues", "its create may have been sent; looking for the server")
		return
	}
	state := "is known"
	if i, err := s.panel.Instance(ctx, in.ID); err == nil {
		state = "is " + string(i.State())
	}
	show.line("continues", fmt.Sprintf("server %s %s", in.ID, state))
}

// resolve turns the names of plan, image and location into ids. image is what the customer is told about the operating system.
func (s *shop) resolve(ctx context.Context, r provisioning.CreateRequest) (_ provisioning.CreateRequest, image string, _ error) {
	plan, err := provisioning.FindPlan(ctx, s.panel, r.Plan)
	if err != nil && !unreadable(err) {
		return r, "", err
	}
	r.Plan = cmp.Or(plan.ID, r.Plan)
	found, err := provisioning.FindImage(ctx, s.panel, r.Plan, r.Image)
	if err != nil && !unreadable(err) {
		return r, "", err
	}
	image = cmp.Or(found.Name, r.Image)
	r.Image = cmp.Or(found.ID, r.Image)
	if r.Location == "" {
		return r, image, nil // the provider chooses
	}
	location, err := provisioning.FindLocation(ctx, s.panel, r.Location)
	if err != nil && !unreadable(err) {
		return r, "", err
	}
	r.Location = cmp.Or(location.ID, r.Location)
	return r, image, nil
}

// unreadable reports that the credentials may not read the catalog. What the order says is taken as an id then.
func unreadable(err error) bool {
	return errors.Is(err, provisioning.Forbidden) || errors.Is(err, provisioning.NoRoute) || errors.Is(err, provisioning.Unsupported)
}

// ospabPatience limits what the OSPAB panel may delay an order by, each time it is told something.
const ospabPatience = 30 * time.Second

// register makes the record of a server that is known and not yet ready.
func (s *shop) register(ctx context.Context, r *result, show *progress) {
	if s.records.registrar == nil {
		return
	}
	memory, ok1 := r.server.Memory.Get()
	disk, ok2 := r.server.Disk.Get()
	cores, ok3 := r.server.VCPUs.Get()
	if !ok1 || !ok2 || !ok3 {
		r.ospabErr = errors.New("the panel does not tell memory, disk and cores of the server")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ospabPatience)
	defer cancel()
	r.record, r.ospabErr = s.records.register(ctx, provisioning.Record{
		Key: r.order.Key, OwnerRef: r.order.Owner.Ref, Status: provisioning.RecordCreating, Memory: memory, Disk: disk, VCPUs: cores, Image: r.image,
	})
	show.record(r)
}

// bootTime is how long a server that was just installed may take until it shows as running.
const bootTime = 20 * time.Second

// observe looks until the server is running, or shows for good that it is not. Where the panel asks the hypervisor, it does so each time.
func (s *shop) observe(ctx context.Context, server *provisioning.Instance) error {
	patient, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	err := provisioning.Wait(patient, func(ctx context.Context) (provisioning.Look, error) {
		err := s.look(ctx, server)
		return provisioning.Look{Done: server.Power == provisioning.PowerRunning || server.Suspended, State: string(server.State())}, err
	}, provisioning.WaitOptions{Max: time.Second})
	if err != nil && patient.Err() != nil && ctx.Err() == nil {
		return nil // it is what it is
	}
	return err
}

// report tells the OSPAB panel what was observed. It sends nothing for a state that is not known.
func (s *shop) report(ctx context.Context, r *result, show *progress) {
	if s.records.registrar == nil || r.ospabErr != nil {
		return
	}
	status, ok := provisioning.RecordStatusOf(r.server, false)
	if !ok {
		r.ospabErr = errors.New("nothing was reported: it is not known whether the server runs")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ospabPatience)
	defer cancel()
	r.record, r.ospabErr = s.records.setStatus(ctx, r.record, status)
	show.record(r)
}
