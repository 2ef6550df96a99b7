package virtfusion

import (
	"context"
	"errors"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Plans lists the panel's packages.
func (p *Provider) Plans(ctx context.Context) ([]provisioning.PlanInfo, error) {
	packages, err := p.client.Packages.List(ctx)
	if err != nil {
		return nil, err
	}
	var plans []provisioning.PlanInfo
	for _, k := range packages {
		plan := provisioning.PlanInfo{ID: format(k.ID), Name: k.Name, Enabled: bool(k.Enabled), Memory: provisioning.Some(k.Memory.Bytes()),
			Disk: provisioning.Some(k.PrimaryStorage.Bytes()), VCPUs: provisioning.Some(int(k.CPUCores)), Traffic: provisioning.Some(k.Traffic.Bytes())}
		if k.Traffic.Unlimited() {
			plan.Traffic = provisioning.Null[provisioning.Bytes]()
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// Images lists the templates of a package, by their full names ("Debian 12 (Bookworm)"). plan is required: the panel has no list of all templates.
func (p *Provider) Images(ctx context.Context, plan string) ([]provisioning.ImageInfo, error) {
	id, err := parse[PackageID]("plan", plan)
	if err != nil {
		return nil, err
	}
	groups, err := p.client.Media.PackageTemplates(ctx, id)
	if err != nil {
		return nil, err
	}
	var images []provisioning.ImageInfo
	for _, g := range groups {
		for _, t := range g.Templates {
			images = append(images, provisioning.ImageInfo{ID: format(t.ID), Name: t.FullName(), Enabled: true})
		}
	}
	return images, nil
}

// Locations lists the hypervisor groups.
func (p *Provider) Locations(ctx context.Context) ([]provisioning.LocationInfo, error) {
	var all []provisioning.LocationInfo
	for g, err := range p.client.HypervisorGroups.List(ctx, ListOptions{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, provisioning.LocationInfo{ID: format(g.ID), Name: g.Name, Enabled: bool(g.Enabled)})
	}
	return all, nil
}

// place chooses the hypervisor group of an order that names none: of the enabled groups with a hypervisor that has room, the panel's default group, otherwise the one with the most free memory on one hypervisor. The panel decides
// in the end, and may still refuse.
func (p *Provider) place(ctx context.Context, r CreateServerRequest) (HypervisorGroupID, error) {
	best, err := p.roomiest(ctx, r)
	if err != nil && p.o.FallbackLocation > 0 && !errors.Is(err, provisioning.Capacity) && ctx.Err() == nil {
		return p.o.FallbackLocation, nil
	}
	return best, err
}

func (p *Provider) roomiest(ctx context.Context, r CreateServerRequest) (HypervisorGroupID, error) {
	need, err := p.needs(ctx, r)
	if err != nil {
		return 0, err
	}
	var best HypervisorGroupID
	var most MB = -1
	for g, err := range p.client.HypervisorGroups.List(ctx, ListOptions{}) {
		if err != nil {
			return 0, err
		}
		if !bool(g.Enabled) {
			continue
		}
		free, err := p.freeMemory(ctx, g.ID, need)
		if err != nil {
			return 0, err
		}
		if free >= 0 && bool(g.Default) {
			return g.ID, nil
		}
		if free > most {
			best, most = g.ID, free
		}
	}
	if best == 0 {
		return 0, &provisioning.Error{Panel: panelName, Op: "createServer", Kind: provisioning.Capacity, Message: "no enabled hypervisor group has room for the order"}
	}
	return best, nil
}

// need is what a server takes.
type need struct {
	memory MB
	cores  Int
	disk   GB
	ipv4   Int
}

func (p *Provider) needs(ctx context.Context, r CreateServerRequest) (need, error) {
	k, err := p.client.Packages.Get(ctx, r.PackageID)
	if err != nil {
		return need{}, err
	}
	n := need{memory: k.Memory, cores: k.CPUCores, disk: k.PrimaryStorage}
	if r.Memory > 0 {
		n.memory = r.Memory
	}
	if r.Storage > 0 {
		n.disk = r.Storage
	}
	if r.CPUCores > 0 {
		n.cores = Int(r.CPUCores)
	}
	if r.IPv4 != nil {
		n.ipv4 = Int(*r.IPv4)
	}
	return n, nil
}

// freeMemory is the most free memory on one hypervisor of the group that has room, or -1 when none has. Hypervisors without a limit count as the largest.
func (p *Provider) freeMemory(ctx context.Context, id HypervisorGroupID, n need) (MB, error) {
	const unlimited = MB(1) << 40
	var most MB = -1
	for h, err := range p.client.HypervisorGroups.Resources(ctx, id, ListOptions{}) {
		if err != nil {
			return 0, err
		}
		if !h.hasRoom(n) {
			continue
		}
		free := h.Resources.Memory.Free
		if h.Resources.Memory.Max == 0 {
			free = unlimited
		}
		most = max(most, free)
	}
	return most, nil
}

func (h *GroupResources) hasRoom(n need) bool {
	r := h.Resources
	switch {
	case !bool(h.Hypervisor.Enabled), bool(h.Hypervisor.Prohibit), !bool(h.Hypervisor.Commissioned):
		return false
	case r.Servers.Max > 0 && r.Servers.Free < 1, r.Memory.Max > 0 && r.Memory.Free < n.memory, r.CPUCores.Max > 0 && r.CPUCores.Free < n.cores:
		return false
	}
	if r.Network.Total.IPv4.Free < n.ipv4 {
		return false
	}
	for _, s := range append([]StorageResource{r.LocalStorage}, r.OtherStorage...) {
		if bool(s.Enabled) && (s.Max == 0 || s.Free >= n.disk) {
			return true
		}
	}
	return false
}
