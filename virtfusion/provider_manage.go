package virtfusion

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

var (
	_ provisioning.Rebuilder            = (*Provider)(nil)
	_ provisioning.Resizer              = (*Provider)(nil)
	_ provisioning.RootPasswordResetter = (*Provider)(nil)
	_ provisioning.BackupLister         = (*Provider)(nil)
	_ provisioning.Rescuer              = (*Provider)(nil)
)

// Rebuild installs Image again; all data is lost. The server keeps its name, and without Hostname its hostname, which are sent again; it has IPv6 and VNC
// afterwards if it has them now. SSH keys that the owner does not have yet are registered. Nobody is mailed. The operation ends when a build that is newer than
// the present one is ready, so the old one is never taken for it. Locked while deferred actions of the server are pending or have failed.
//
// The build is sent once. On ErrMaybeApplied the result carries the operation all the same: it ends well only if the rebuild took place, and goes on for as
// long as it did not. The password is unknown then: see ResetRootPassword. There is no operation after doubt about a server whose last build had failed or was
// still running, because its end could not be told from that of the new one.
func (p *Provider) Rebuild(ctx context.Context, id provisioning.ID, r provisioning.RebuildRequest) (provisioning.Rebuilt, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	image, err := parse[OperatingSystemID]("image", r.Image)
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	s, err := p.client.Servers.Get(ctx, server, GetServerOptions{})
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	keys, err := p.keys(ctx, s.OwnerID, r.SSHKeys)
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	op := p.open(operation{what: waitRebuild, server: server, number: s.Built.Unix()})
	built, err := p.client.Servers.Build(ctx, server, BuildServerRequest{OperatingSystemID: image, Name: s.Name, Hostname: cmp.Or(r.Hostname, s.Hostname),
		SSHKeys: keys, IPv6: s.Network.hasIPv6(), VNC: bool(s.VNC.Enabled)})
	switch {
	case err == nil:
		return provisioning.Rebuilt{Password: built.Settings.DecryptedPassword, Operation: op}, nil
	case errors.Is(err, provisioning.ErrMaybeApplied) && (s.Phase() == provisioning.PhaseReady || s.Phase() == provisioning.PhaseAllocated):
		return provisioning.Rebuilt{Operation: op}, err
	}
	return provisioning.Rebuilt{}, err
}

func (n *ServerNetwork) hasIPv6() bool {
	for _, i := range n.Interfaces {
		if len(i.IPv6) > 0 {
			return true
		}
	}
	return false
}

// Resize applies a package with all its parts, or changes single resources: memory of 256 MB and more, 1 to 600 cores, and the primary disk (panel 7.1), which
// only grows. What the server has already is not sent.
//
// The operation ends when the panel has accepted the change. Deferred lists, in the panel's words, what the package left as it was and why, and everything that
// waits for the server's next power action, whoever asked for it. Single resources are separate calls, cores first, then memory, then the disk: when a later
// one fails, the error says what was changed and is ErrMaybeApplied. Asking for the same again is safe.
func (p *Provider) Resize(ctx context.Context, id provisioning.ID, r provisioning.ResizeRequest) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	change, err := resizing(r)
	if err != nil {
		return nil, err
	}
	var deferred []string
	if change.plan > 0 {
		done, err := p.client.Servers.ChangePackage(ctx, server, change.plan, AllPackageParts())
		if err != nil {
			return nil, err
		}
		deferred = done.Info
	} else if err := p.resize(ctx, server, change); err != nil {
		return nil, err
	}
	return provisioning.NewOperation(provisioning.OperationSpec{Instance: id, Deferred: append(deferred, p.waiting(ctx, server)...)}), nil
}

// resize is a portable request in the panel's types; zero is unchanged.
type resize struct {
	plan   PackageID
	memory MB
	cores  int
	disk   GB
}

func resizing(r provisioning.ResizeRequest) (c resize, err error) {
	memory, hasMemory := r.Memory.Get()
	disk, hasDisk := r.Disk.Get()
	cores, hasCores := r.VCPUs.Get()
	switch single := hasMemory || hasDisk || hasCores; {
	case r.Plan == "" && !single:
		return c, provisioning.InvalidField("plan", "give a plan or single resources")
	case r.Plan != "" && single:
		return c, provisioning.InvalidField("plan", "give a plan or single resources, not both")
	case r.Plan != "":
		c.plan, err = parse[PackageID]("plan", r.Plan)
		return c, err
	}
	if hasMemory {
		if c.memory, err = MBOf(memory); err != nil {
			return c, err
		}
		if c.memory < minMemory {
			return c, provisioning.InvalidField("memory", "must be at least %v, not %v", minMemory.Bytes(), memory)
		}
	}
	if hasDisk {
		if c.disk, err = GBOf(disk); err != nil || c.disk == 0 {
			return c, provisioning.InvalidField("disk", "%v is not a whole number of GB above 0", disk)
		}
	}
	if c.cores = cores; hasCores && (cores < 1 || cores > maxCPUCores) {
		return c, provisioning.InvalidField("vcpus", "must be between 1 and %d, not %d", maxCPUCores, cores)
	}
	return c, nil
}

// resize changes single resources. The server is read first, so that nothing is changed when the disk would have to shrink.
func (p *Provider) resize(ctx context.Context, id ServerID, c resize) error {
	s, err := p.client.Servers.Get(ctx, id, GetServerOptions{})
	if err != nil {
		return err
	}
	has := s.Settings.Resources
	if c.disk > 0 && c.disk < has.Storage {
		return provisioning.InvalidField("disk", "disks never shrink: the server has %v", has.Storage.Bytes())
	}
	var changed []string
	for _, step := range []struct {
		what string
		skip bool
		do   func() error
	}{
		{"cores", c.cores == 0 || c.cores == int(has.CPUCores), func() error { return p.client.Servers.SetCPUCores(ctx, id, c.cores) }},
		{"memory", c.memory == 0 || c.memory == has.Memory, func() error { return p.client.Servers.SetMemory(ctx, id, c.memory) }},
		{"disk", c.disk == 0 || c.disk == has.Storage, func() error { return p.client.Servers.GrowDisk(ctx, id, "a", c.disk) }},
	} {
		if step.skip {
			continue
		}
		if err := step.do(); err != nil {
			var e *provisioning.Error
			if len(changed) > 0 && errors.As(err, &e) {
				e.Message = strings.Join(changed, " and ") + " changed before: " + e.Message
			}
			return partly(err, len(changed) > 0)
		}
		changed = append(changed, step.what)
	}
	return nil
}

// waiting lists what waits for the server's next power action. A change that was accepted does not become an error because of it.
func (p *Provider) waiting(ctx context.Context, id ServerID) []string {
	s, err := p.client.Servers.Get(ctx, id, GetServerOptions{})
	if err != nil {
		return []string{"the server could not be read, so what waits for its next power action is not known"}
	}
	var list []string
	for _, a := range s.Tasks.Actions.Pending {
		switch {
		case bool(a.Complete):
		case bool(a.Failed):
			list = append(list, a.Action+" (failed)")
		default:
			list = append(list, a.Action)
		}
	}
	return list
}

// ResetRootPassword lets the panel set a new password in the guest, for root unless User says otherwise. Nobody is mailed unless it is asked for. The operation
// is the panel's queue item; the password is valid only after it ended well. It is sent once.
func (p *Provider) ResetRootPassword(ctx context.Context, id provisioning.ID, o provisioning.PasswordOptions) (provisioning.PasswordReset, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.PasswordReset{}, err
	}
	user := GuestUser(o.User)
	if user == "" {
		user = GuestRoot
	}
	reset, err := p.client.Servers.ResetPassword(ctx, server, ResetServerPasswordRequest{User: user, SendMail: o.SendMail})
	if err != nil {
		return provisioning.PasswordReset{}, err
	}
	if reset.QueueID <= 0 {
		return provisioning.PasswordReset{}, &provisioning.Error{Panel: panelName, Op: "resetServerPassword", Kind: provisioning.Unexpected, MaybeApplied: true,
			Message: "the panel named no queue item, so nothing tells when the new password is valid"}
	}
	op := p.open(operation{what: waitQueue, server: server, number: int64(reset.QueueID)})
	return provisioning.PasswordReset{Password: reset.ExpectedPassword, Operation: op}, nil
}

// Backups lists the server's legacy backups. State is made of the panel's flags: deleting, restoring, running, complete or incomplete. The sizes are not told.
// What the Backup Manager of panel 7 has stored is not in it: the panel has no documented list of it.
func (p *Provider) Backups(ctx context.Context, id provisioning.ID) ([]provisioning.Backup, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	backups, err := p.client.Servers.LegacyBackups(ctx, server)
	if err != nil {
		return nil, err
	}
	var all []provisioning.Backup
	for _, b := range backups {
		all = append(all, provisioning.Backup{ID: format(b.ID), State: b.state(), Created: b.Created.Time})
	}
	return all, nil
}

func (b *Backup) state() string {
	switch {
	case bool(b.Deleting):
		return "deleting"
	case bool(b.Restoring):
		return "restoring"
	case bool(b.Progress):
		return "running"
	case bool(b.Complete):
		return "complete"
	}
	return "incomplete"
}

// EnterRescue restarts the server into the panel's default rescue image, without mail. Panel 7.1. What the panel answers was never published: where it names a
// queue item, the operation is that; otherwise it is done when the panel has accepted the restart. The password is not read from it: ServersService.Rescue
// tells the login once the system has booted. How a server leaves the rescue system is not documented, so there is no way to do that here.
func (p *Provider) EnterRescue(ctx context.Context, id provisioning.ID) (provisioning.Rescue, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Rescue{}, err
	}
	answer, err := p.client.Servers.EnableRescue(ctx, server, EnableRescueRequest{})
	if err != nil {
		return provisioning.Rescue{}, err
	}
	var queued struct {
		QueueID QueueID `json:"queueId"`
	}
	if json.Unmarshal([]byte(answer.Reveal()), &queued) == nil && queued.QueueID > 0 {
		return provisioning.Rescue{Operation: p.open(operation{what: waitQueue, server: server, number: int64(queued.QueueID)})}, nil
	}
	return provisioning.Rescue{Operation: provisioning.NewOperation(provisioning.OperationSpec{Instance: id,
		Deferred: []string{"the panel restarts the server into the rescue system and does not tell when it is there"}})}, nil
}
