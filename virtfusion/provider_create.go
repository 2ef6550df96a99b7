package virtfusion

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// order is a portable request in the panel's types.
type order struct {
	create   CreateServerRequest
	image    OperatingSystemID
	location HypervisorGroupID // 0: choose
}

func (p *Provider) order(r provisioning.CreateRequest) (o order, err error) {
	if o.create.PackageID, err = parse[PackageID]("plan", r.Plan); err != nil {
		return o, err
	}
	if o.image, err = parse[OperatingSystemID]("image", r.Image); err != nil {
		return o, err
	}
	if _, err = parse[ExtRelationID]("owner.ref", r.Owner.Ref); err != nil {
		return o, err
	}
	if r.Location != "" {
		if o.location, err = parse[HypervisorGroupID]("location", r.Location); err != nil {
			return o, err
		}
	}
	switch native := r.Native.(type) {
	case nil:
	case *CreateServerRequest:
		plan := o.create.PackageID
		o.create = *native
		o.create.PackageID = plan
	default:
		return o, provisioning.InvalidField("native", "must be a *virtfusion.CreateServerRequest")
	}
	ipv4 := r.IPv4
	o.create.IPv4 = &ipv4
	if memory, ok := r.Memory.Get(); ok {
		if o.create.Memory, err = MBOf(memory); err != nil {
			return o, err
		}
	}
	if disk, ok := r.Disk.Get(); ok {
		if o.create.Storage, err = GBOf(disk); err != nil {
			return o, provisioning.InvalidField("disk", "%v is not a whole number of GB", disk)
		}
	}
	if n, ok := r.VCPUs.Get(); ok {
		o.create.CPUCores = n
	}
	return o, nil
}

// CreateScope implements provisioning.Creator. Native may be a *CreateServerRequest with what the portable request lacks (traffic, network speeds, storage profiles, ...); its ids, memory, disk and cores are overwritten
// by what the portable request says.
func (p *Provider) CreateScope(r provisioning.CreateRequest) (string, error) {
	if _, err := p.order(r); err != nil {
		return "", err
	}
	return p.client.BaseURL() + " owner " + r.Owner.Ref, nil
}

// PlanCreate implements provisioning.Creator.
func (p *Provider) PlanCreate(ctx context.Context, r provisioning.CreateRequest) (provisioning.Intent, error) {
	scope, err := p.CreateScope(r)
	if err != nil {
		return provisioning.Intent{}, err
	}
	owner, err := p.EnsureOwner(ctx, r.Owner)
	if err != nil {
		return provisioning.Intent{}, err
	}
	servers, err := p.ownerServers(ctx, owner.ID)
	if err != nil {
		return provisioning.Intent{}, err
	}
	in := provisioning.Intent{Key: r.Key, Scope: scope, Owner: owner.ID}
	for _, s := range servers {
		in.Before = append(in.Before, instanceID(s.ID))
	}
	switch carriers := carriers(servers, r.Key); len(carriers) {
	case 0:
	case 1:
		in.ID, in.UUID = instanceID(carriers[0].ID), carriers[0].UUID
	default:
		conflict := &provisioning.ConflictError{Key: r.Key}
		for _, s := range carriers {
			conflict.Candidates = append(conflict.Candidates, instanceID(s.ID))
		}
		return provisioning.Intent{}, conflict
	}
	return in, nil
}

func carriers(servers []UserServer, key string) []UserServer {
	return slices.DeleteFunc(slices.Clone(servers), func(s UserServer) bool { return s.Name != key })
}

// Create implements provisioning.Creator: it allocates the server. The panel's create carries no name, so MarkCreated follows, and BuildCreated installs.
func (p *Provider) Create(ctx context.Context, r provisioning.CreateRequest, i provisioning.Intent) (provisioning.Created, error) {
	o, err := p.placed(ctx, r)
	if err != nil {
		return provisioning.Created{}, err
	}
	if o.create.UserID, err = parse[UserID]("owner", i.Owner); err != nil {
		return provisioning.Created{}, err
	}
	s, err := p.client.Servers.Create(ctx, o.create, NotAfter(i.SendBefore))
	if err != nil {
		return provisioning.Created{}, err
	}
	return provisioning.Created{ID: instanceID(s.ID), UUID: s.UUID}, nil
}

// placed is the order with its hypervisor group.
func (p *Provider) placed(ctx context.Context, r provisioning.CreateRequest) (order, error) {
	o, err := p.order(r)
	if err != nil {
		return o, err
	}
	if o.location == 0 {
		if o.location, err = p.place(ctx, o.create); err != nil {
			return o, err
		}
	}
	o.create.HypervisorGroupID = o.location
	return o, nil
}

// ValidateCreate asks the panel to check the order without creating anything (dry run). The owner must exist.
func (p *Provider) ValidateCreate(ctx context.Context, r provisioning.CreateRequest) error {
	if err := r.Validate(); err != nil {
		return err
	}
	o, err := p.placed(ctx, r)
	if err != nil {
		return err
	}
	owner, err := p.FindOwner(ctx, r.Owner.Ref)
	if err != nil {
		return err
	}
	if o.create.UserID, err = parse[UserID]("owner", owner.ID); err != nil {
		return err
	}
	return p.client.Servers.DryRunCreate(ctx, o.create)
}

// MarkCreated implements provisioning.Creator: the display name becomes the Key.
func (p *Provider) MarkCreated(ctx context.Context, i provisioning.Intent) error {
	return p.Rename(ctx, i.ID, i.Key)
}

// FindCreated implements provisioning.Creator. The list of a user's servers comes in one piece, so what is not in it did not exist.
func (p *Provider) FindCreated(ctx context.Context, i provisioning.Intent) ([]provisioning.Instance, error) {
	servers, err := p.ownerServers(ctx, i.Owner)
	if err != nil {
		return nil, err
	}
	found := carriers(servers, i.Key)
	if len(found) == 0 {
		for _, s := range servers {
			if s.Name == "" && s.Phase() == provisioning.PhaseAllocated && !slices.Contains(i.Before, instanceID(s.ID)) {
				found = append(found, s)
			}
		}
	}
	var out []provisioning.Instance
	for _, s := range found {
		out = append(out, provisioning.Instance{ID: instanceID(s.ID), UUID: s.UUID, Name: s.Name, Hostname: s.Hostname, Owner: i.Owner,
			Phase: s.Phase(), Power: provisioning.PowerUnknown, Suspended: bool(s.Suspended), RawState: string(s.State)})
	}
	return out, nil
}

// OpenCreated implements provisioning.Creator.
func (p *Provider) OpenCreated(ctx context.Context, id provisioning.ID) (provisioning.Created, bool, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Created{}, false, err
	}
	s, err := p.client.Servers.Get(ctx, server, GetServerOptions{})
	if err != nil {
		return provisioning.Created{ID: id}, false, err
	}
	c := provisioning.Created{ID: id, UUID: s.UUID, Operation: p.open(operation{what: waitBuild, server: server})}
	return c, s.Phase() == provisioning.PhaseAllocated, nil
}

// BuildCreated implements provisioning.Builder: it registers the SSH keys that the owner does not have yet, and builds. Nobody is mailed.
func (p *Provider) BuildCreated(ctx context.Context, r provisioning.CreateRequest, i provisioning.Intent) (provisioning.Created, error) {
	c := provisioning.Created{ID: i.ID, UUID: i.UUID}
	o, err := p.order(r)
	if err != nil {
		return c, err
	}
	server, err := parseID(i.ID)
	if err != nil {
		return c, err
	}
	owner, err := parse[UserID]("owner", i.Owner)
	if err != nil {
		return c, err
	}
	keys, err := p.keys(ctx, owner, r.SSHKeys)
	if err != nil {
		return c, err
	}
	built, err := p.client.Servers.Build(ctx, server, BuildServerRequest{OperatingSystemID: o.image, Name: i.Key, Hostname: r.Hostname, SSHKeys: keys, IPv6: r.IPv6},
		NotAfter(i.BuildBefore))
	if err != nil {
		return c, err
	}
	c.Password = built.Settings.DecryptedPassword
	c.Operation = p.open(operation{what: waitBuild, server: server})
	return c, nil
}

// keys finds the owner's keys by what they are, not by name, and adds those that are missing.
func (p *Provider) keys(ctx context.Context, owner UserID, want []string) ([]SSHKeyID, error) {
	if len(want) == 0 {
		return nil, nil
	}
	have, err := p.client.SSHKeys.ListByUser(ctx, owner)
	if err != nil {
		return nil, err
	}
	var ids []SSHKeyID
	for _, text := range want {
		id, err := p.key(ctx, owner, text, have)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
			have = append(have, SSHKey{ID: id, PublicKey: text, Enabled: true}) // the same key twice is one key
		}
	}
	return ids, nil
}

func (p *Provider) key(ctx context.Context, owner UserID, text string, have []SSHKey) (SSHKeyID, error) {
	if id := findKey(have, text); id != 0 {
		return id, nil
	}
	made, err := p.client.SSHKeys.Create(ctx, CreateSSHKeyRequest{UserID: owner, Name: keyName(text), PublicKey: strings.TrimSpace(text)})
	if err == nil {
		return made.ID, nil
	}
	if !errors.Is(err, provisioning.ErrMaybeApplied) {
		return 0, err
	}
	have, lookErr := p.client.SSHKeys.ListByUser(ctx, owner)
	if id := findKey(have, text); lookErr == nil && id != 0 {
		return id, nil
	}
	// The doubt is about a key, which does no harm twice, and not about the build, which was not sent.
	return 0, &provisioning.Error{Panel: panelName, Op: "addSshKey", Kind: provisioning.Unavailable, Message: "the SSH key may not be registered: " + err.Error()}
}

func findKey(have []SSHKey, text string) SSHKeyID {
	for _, k := range have {
		if bool(k.Enabled) && keyMaterial(k.PublicKey) == keyMaterial(text) {
			return k.ID
		}
	}
	return 0
}

// keyMaterial is the type and the key without the comment.
func keyMaterial(text string) string {
	fields := strings.Fields(text)
	return strings.Join(fields[:min(len(fields), 2)], " ")
}

func keyName(text string) string {
	if fields := strings.Fields(text); len(fields) > 2 {
		return strings.Join(fields[2:], " ")
	}
	return "ssh key"
}
