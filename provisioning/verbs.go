package provisioning

import (
	"context"
	"iter"
	"net/netip"
	"strings"
)

// Every verb is also a function over any provider: it finds the capability with As and returns Unsupported where there is none.

// Peek reads one server without asking its hypervisor, where the provider can (Peeker), and with Instance otherwise. It is what programs use that look often.
func Peek(ctx context.Context, p Provider, id ID) (Instance, error) {
	if c, ok := As[Peeker](p); ok {
		return c.Peek(ctx, id)
	}
	return p.Instance(ctx, id)
}

// Ping tests address and credentials.
func Ping(ctx context.Context, p any) error {
	c, ok := As[Pinger](p)
	if !ok {
		return unsupported("Ping")
	}
	return c.Ping(ctx)
}

// Start switches a server on.
func Start(ctx context.Context, p any, id ID) (*Operation, error) {
	return power(p, "Start", func(c Power) (*Operation, error) { return c.Start(ctx, id) })
}

// Restart restarts a server.
func Restart(ctx context.Context, p any, id ID) (*Operation, error) {
	return power(p, "Restart", func(c Power) (*Operation, error) { return c.Restart(ctx, id) })
}

// Shutdown asks the guest to shut down.
func Shutdown(ctx context.Context, p any, id ID) (*Operation, error) {
	return power(p, "Shutdown", func(c Power) (*Operation, error) { return c.Shutdown(ctx, id) })
}

// PowerOff cuts the power.
func PowerOff(ctx context.Context, p any, id ID) (*Operation, error) {
	return power(p, "PowerOff", func(c Power) (*Operation, error) { return c.PowerOff(ctx, id) })
}

func power(p any, verb string, do func(Power) (*Operation, error)) (*Operation, error) {
	c, ok := As[Power](p)
	if !ok {
		return nil, unsupported(verb)
	}
	return do(c)
}

// Suspend suspends a server.
func Suspend(ctx context.Context, p any, id ID, reason string) (*Operation, error) {
	c, ok := As[Suspender](p)
	if !ok {
		return nil, unsupported("Suspend")
	}
	return c.Suspend(ctx, id, reason)
}

// Unsuspend lifts a suspension.
func Unsuspend(ctx context.Context, p any, id ID) (*Operation, error) {
	c, ok := As[Suspender](p)
	if !ok {
		return nil, unsupported("Unsuspend")
	}
	return c.Unsuspend(ctx, id)
}

// Delete destroys a server, after o.In.
func Delete(ctx context.Context, p any, id ID, o DeleteOptions) (*Operation, error) {
	c, ok := As[Deleter](p)
	if !ok {
		return nil, unsupported("Delete")
	}
	return c.Delete(ctx, id, o)
}

// Rebuild reinstalls a server; its data is lost.
func Rebuild(ctx context.Context, p any, id ID, r RebuildRequest) (Rebuilt, error) {
	c, ok := As[Rebuilder](p)
	if !ok {
		return Rebuilt{}, unsupported("Rebuild")
	}
	return c.Rebuild(ctx, id, r)
}

// Resize changes plan or resources.
func Resize(ctx context.Context, p any, id ID, r ResizeRequest) (*Operation, error) {
	c, ok := As[Resizer](p)
	if !ok {
		return nil, unsupported("Resize")
	}
	return c.Resize(ctx, id, r)
}

// Rename changes the display name.
func Rename(ctx context.Context, p any, id ID, name string) error {
	c, ok := As[Renamer](p)
	if !ok {
		return unsupported("Rename")
	}
	return c.Rename(ctx, id, name)
}

// ResetRootPassword resets the guest's root password.
func ResetRootPassword(ctx context.Context, p any, id ID, o PasswordOptions) (PasswordReset, error) {
	c, ok := As[RootPasswordResetter](p)
	if !ok {
		return PasswordReset{}, unsupported("ResetRootPassword")
	}
	return c.ResetRootPassword(ctx, id, o)
}

// OpenConsole opens a console.
func OpenConsole(ctx context.Context, p any, id ID) (Console, error) {
	c, ok := As[ConsoleOpener](p)
	if !ok {
		return Console{}, unsupported("OpenConsole")
	}
	return c.OpenConsole(ctx, id)
}

// ReadUsage reads a server's counters.
func ReadUsage(ctx context.Context, p any, id ID) (Usage, error) {
	c, ok := As[UsageReader](p)
	if !ok {
		return Usage{}, unsupported("Usage")
	}
	return c.Usage(ctx, id)
}

// Addresses lists a server's addresses.
func Addresses(ctx context.Context, p any, id ID) ([]Address, error) {
	c, ok := As[AddressManager](p)
	if !ok {
		return nil, unsupported("Addresses")
	}
	return c.Addresses(ctx, id)
}

// AddIPv4 adds count addresses chosen by the panel.
func AddIPv4(ctx context.Context, p any, id ID, count int) ([]Address, error) {
	c, ok := As[AddressManager](p)
	if !ok {
		return nil, unsupported("AddIPv4")
	}
	return c.AddIPv4(ctx, id, count)
}

// RemoveAddresses takes addresses away from a server.
func RemoveAddresses(ctx context.Context, p any, id ID, addresses []netip.Addr) error {
	c, ok := As[AddressManager](p)
	if !ok {
		return unsupported("RemoveAddresses")
	}
	return c.RemoveAddresses(ctx, id, addresses)
}

// FindOwner finds a customer's account by the billing system's id.
func FindOwner(ctx context.Context, p any, ref string) (OwnerAccount, error) {
	c, ok := As[OwnerManager](p)
	if !ok {
		return OwnerAccount{}, unsupported("FindOwner")
	}
	return c.FindOwner(ctx, ref)
}

// EnsureOwner finds a customer's account or creates it.
func EnsureOwner(ctx context.Context, p any, o Owner) (OwnerAccount, error) {
	c, ok := As[OwnerManager](p)
	if !ok {
		return OwnerAccount{}, unsupported("EnsureOwner")
	}
	return c.EnsureOwner(ctx, o)
}

// OwnerInstances lists the servers of one customer.
func OwnerInstances(ctx context.Context, p any, ref string) iter.Seq2[Summary, error] {
	c, ok := As[OwnerManager](p)
	if !ok {
		return func(yield func(Summary, error) bool) { yield(Summary{}, unsupported("OwnerInstances")) }
	}
	return c.OwnerInstances(ctx, ref)
}

// LoginLink makes a link that logs a customer into the panel.
func LoginLink(ctx context.Context, p any, ownerRef string, id ID) (Link, error) {
	c, ok := As[PanelAccess](p)
	if !ok {
		return Link{}, unsupported("LoginLink")
	}
	return c.LoginLink(ctx, ownerRef, id)
}

// ResetPanelPassword gives a customer's panel account a new password.
func ResetPanelPassword(ctx context.Context, p any, ownerRef string) (Secret, error) {
	c, ok := As[PanelAccess](p)
	if !ok {
		return "", unsupported("ResetPanelPassword")
	}
	return c.ResetPanelPassword(ctx, ownerRef)
}

// Snapshots lists a server's snapshots.
func Snapshots(ctx context.Context, p any, id ID) ([]Snapshot, error) {
	c, ok := As[Snapshotter](p)
	if !ok {
		return nil, unsupported("Snapshots")
	}
	return c.Snapshots(ctx, id)
}

// CreateSnapshot saves the present state of a server's disk.
func CreateSnapshot(ctx context.Context, p any, id ID, name string) (*Operation, error) {
	c, ok := As[Snapshotter](p)
	if !ok {
		return nil, unsupported("CreateSnapshot")
	}
	return c.CreateSnapshot(ctx, id, name)
}

// RevertSnapshot puts a server's disk back to a saved state; what was written since is lost.
func RevertSnapshot(ctx context.Context, p any, id ID, snapshot string) (*Operation, error) {
	c, ok := As[Snapshotter](p)
	if !ok {
		return nil, unsupported("RevertSnapshot")
	}
	return c.RevertSnapshot(ctx, id, snapshot)
}

// DeleteSnapshot deletes a saved state.
func DeleteSnapshot(ctx context.Context, p any, id ID, snapshot string) (*Operation, error) {
	c, ok := As[Snapshotter](p)
	if !ok {
		return nil, unsupported("DeleteSnapshot")
	}
	return c.DeleteSnapshot(ctx, id, snapshot)
}

// Backups lists a server's backups.
func Backups(ctx context.Context, p any, id ID) ([]Backup, error) {
	c, ok := As[BackupLister](p)
	if !ok {
		return nil, unsupported("Backups")
	}
	return c.Backups(ctx, id)
}

// EnterRescue starts a server's rescue system.
func EnterRescue(ctx context.Context, p any, id ID) (Rescue, error) {
	c, ok := As[Rescuer](p)
	if !ok {
		return Rescue{}, unsupported("EnterRescue")
	}
	return c.EnterRescue(ctx, id)
}

// LeaveRescue ends the rescue system.
func LeaveRescue(ctx context.Context, p any, id ID) (*Operation, error) {
	c, ok := As[RescueLeaver](p)
	if !ok {
		return nil, unsupported("LeaveRescue")
	}
	return c.LeaveRescue(ctx, id)
}

// ValidateCreate reports what the panel would refuse, without creating anything.
func ValidateCreate(ctx context.Context, p any, r CreateRequest) error {
	c, ok := As[Validator](p)
	if !ok {
		return unsupported("ValidateCreate")
	}
	return c.ValidateCreate(ctx, r)
}

// Plans lists the plans that can be ordered.
func Plans(ctx context.Context, p any) ([]PlanInfo, error) {
	c, ok := As[Catalog](p)
	if !ok {
		return nil, unsupported("Plans")
	}
	return c.Plans(ctx)
}

// Images lists what can be installed with the plan (a catalog id).
func Images(ctx context.Context, p any, plan string) ([]ImageInfo, error) {
	c, ok := As[Catalog](p)
	if !ok {
		return nil, unsupported("Images")
	}
	return c.Images(ctx, plan)
}

// Locations lists the places where servers can be made.
func Locations(ctx context.Context, p any) ([]LocationInfo, error) {
	c, ok := As[Catalog](p)
	if !ok {
		return nil, unsupported("Locations")
	}
	return c.Locations(ctx)
}

// FindPlan finds a plan by its id or its exact name, without regard to letter case. None is NotFound, two are a Conflict: nobody should sell the wrong one.
func FindPlan(ctx context.Context, p any, name string) (PlanInfo, error) {
	all, err := Plans(ctx, p)
	if err != nil {
		return PlanInfo{}, err
	}
	return findNamed("plan", name, all, func(i PlanInfo) (string, string) { return i.ID, i.Name })
}

// FindImage finds an image that can be installed with the plan (a catalog id), by its id or its exact name, as FindPlan does.
func FindImage(ctx context.Context, p any, plan, name string) (ImageInfo, error) {
	all, err := Images(ctx, p, plan)
	if err != nil {
		return ImageInfo{}, err
	}
	return findNamed("image", name, all, func(i ImageInfo) (string, string) { return i.ID, i.Name })
}

// FindLocation finds a location by its id or its exact name, as FindPlan does.
func FindLocation(ctx context.Context, p any, name string) (LocationInfo, error) {
	all, err := Locations(ctx, p)
	if err != nil {
		return LocationInfo{}, err
	}
	return findNamed("location", name, all, func(i LocationInfo) (string, string) { return i.ID, i.Name })
}

func findNamed[T any](field, name string, all []T, idAndName func(T) (string, string)) (T, error) {
	var none T
	if strings.TrimSpace(name) == "" {
		return none, InvalidField(field, "is missing")
	}
	var found []T
	for _, item := range all {
		id, n := idAndName(item)
		if id == name {
			return item, nil
		}
		if strings.EqualFold(strings.Join(strings.Fields(n), " "), strings.Join(strings.Fields(name), " ")) {
			found = append(found, item)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return none, &Error{Kind: NotFound, Fields: map[string][]string{field: {"there is none called " + shorten(name, 80)}}}
	}
	return none, &Error{Kind: Conflict, Fields: map[string][]string{field: {"more than one is called " + shorten(name, 80) + "; use its id"}}}
}
