package solusvm2

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// order translates a portable request, except for what needs the panel: owner, SSH keys and the choice of a location.
func (p *Provider) order(r provisioning.CreateRequest) (c CreateServerRequest, err error) {
	if c.Plan, err = parse[PlanID]("plan", r.Plan); err != nil {
		return c, err
	}
	if c.OS, err = parse[OSImageVersionID]("image", r.Image); err != nil {
		return c, err
	}
	if r.Location != "" {
		if c.Location, err = parse[LocationID]("location", r.Location); err != nil {
			return c, err
		}
	}
	if r.Native != nil {
		return c, provisioning.InvalidField("native", "is not used by this provider")
	}
	c.FQDNs = []string{r.Hostname}
	if c.CustomPlan, err = customPlan(r.Memory, r.Disk, r.VCPUs); err != nil {
		return c, err
	}
	if r.IPv4 > 0 {
		c.IPTypes = append(c.IPTypes, IPv4)
	}
	if r.IPv6 {
		c.IPTypes = append(c.IPTypes, IPv6)
	}
	if len(c.IPTypes) == 0 {
		return c, provisioning.InvalidField("ipv4", "the panel makes no server without an address: ask for IPv4 or IPv6")
	}
	if p.project == 0 {
		c.Name, c.Description, c.AdditionalIPCount = r.Hostname, r.Key, max(r.IPv4-1, 0)
		return c, nil
	}
	c.Name = r.Key
	if c.CustomPlan != nil || r.IPv4 > 1 {
		return c, provisioning.InvalidField("memory, disk, vcpus, ipv4", "cannot be chosen inside a project; use a plan that has them")
	}
	if !r.IPv6 {
		c.IPTypes = nil // one IPv4 address is what every panel gives; only newer ones are known to take the choice here
	}
	return c, nil
}

// customPlan replaces parts of the plan, or is nil.
func customPlan(memory, disk provisioning.Opt[provisioning.Bytes], vcpus provisioning.Opt[int]) (*CustomPlan, error) {
	params := PlanParamsRequest{}
	if m, ok := memory.Get(); ok {
		if _, whole := m.Whole(provisioning.MiB); !whole || m <= 0 {
			return nil, provisioning.InvalidField("memory", "%v is not a whole number of MiB above zero", m)
		}
		params.RAM = ByteCount(m)
	}
	if d, ok := disk.Get(); ok {
		n, whole := d.Whole(provisioning.GiB)
		if !whole || d <= 0 {
			return nil, provisioning.InvalidField("disk", "%v is not a whole number of GiB above zero", d)
		}
		params.Disk = GiB(n)
	}
	if n, ok := vcpus.Get(); ok {
		if n <= 0 {
			return nil, provisioning.InvalidField("vcpus", "must be above zero")
		}
		params.VCPU = n
	}
	if params == (PlanParamsRequest{}) {
		return nil, nil //nolint:nilnil // no custom plan
	}
	return &CustomPlan{Params: &params}, nil
}

// CreateScope implements provisioning.Creator. Inside a project the scope is the project.
func (p *Provider) CreateScope(r provisioning.CreateRequest) (string, error) {
	if _, err := p.order(r); err != nil {
		return "", err
	}
	if p.project > 0 {
		return p.client.BaseURL() + " project " + format(p.project), nil
	}
	return p.client.BaseURL() + " owner " + r.Owner.Ref, nil
}

// PlanCreate implements provisioning.Creator.
func (p *Provider) PlanCreate(ctx context.Context, r provisioning.CreateRequest) (provisioning.Intent, error) {
	scope, err := p.CreateScope(r)
	if err != nil {
		return provisioning.Intent{}, err
	}
	in := provisioning.Intent{Key: r.Key, Scope: scope, Owner: r.Owner.Ref}
	if p.project == 0 {
		owner, err := p.EnsureOwner(ctx, r.Owner)
		if err != nil {
			return provisioning.Intent{}, err
		}
		in.Owner = owner.ID
	}
	servers, err := p.ownerServers(ctx, in.Owner)
	if err != nil {
		return provisioning.Intent{}, err
	}
	for _, s := range servers {
		in.Before = append(in.Before, instanceID(s.ID))
	}
	carriers, err := p.carriers(ctx, servers, r.Key, nil)
	if err != nil {
		return provisioning.Intent{}, err
	}
	switch len(carriers) {
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

// ownerServers is a walk that proves itself complete.
func (p *Provider) ownerServers(ctx context.Context, owner string) ([]Server, error) {
	if p.project > 0 {
		return p.client.Servers.ListByProjectComplete(ctx, p.project, ListOptions{})
	}
	user, err := parse[UserID]("owner", owner)
	if err != nil {
		return nil, err
	}
	return p.client.Servers.ListComplete(ctx, ServerFilter{UserID: user})
}

// carriers are the servers that carry the key, without those that are known not to. Rows of lists may be abbreviated, so one without a description is read on its own: a key that was overlooked is a
// second server.
func (p *Provider) carriers(ctx context.Context, servers []Server, key string, without []provisioning.ID) ([]Server, error) {
	var found []Server
	for _, s := range servers {
		if p.project == 0 && s.Description == "" && !slices.Contains(without, instanceID(s.ID)) {
			full, err := p.client.Servers.Get(ctx, s.ID)
			if errors.Is(err, provisioning.NotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			s = *full
		}
		mark := s.Description
		if p.project > 0 {
			mark = s.Name
		}
		if mark == key {
			found = append(found, s)
		}
	}
	return found, nil
}

// Create implements provisioning.Creator: the panel makes and installs the server at once. The Key is its description, or its name inside a project.
func (p *Provider) Create(ctx context.Context, r provisioning.CreateRequest, i provisioning.Intent) (provisioning.Created, error) {
	c, err := p.order(r)
	if err != nil {
		return provisioning.Created{}, err
	}
	if c.Location == 0 {
		if c.Location, err = p.place(ctx, r.Plan); err != nil {
			return provisioning.Created{}, err
		}
	}
	if p.project == 0 {
		if c.User, err = parse[UserID]("owner", i.Owner); err != nil {
			return provisioning.Created{}, err
		}
	}
	if c.SSHKeys, err = p.keys(ctx, c.User, r.SSHKeys); err != nil {
		return provisioning.Created{}, err
	}
	c.Password = newPassword()
	s, err := p.send(ctx, c, NotAfter(i.SendBefore))
	if err != nil {
		return provisioning.Created{}, err
	}
	return provisioning.Created{ID: instanceID(s.ID), UUID: s.UUID, Password: c.Password, Operation: p.open(operation{what: waitCreate, server: s.ID})}, nil
}

func (p *Provider) send(ctx context.Context, c CreateServerRequest, opts ...CallOption) (*Server, error) {
	if p.project > 0 {
		return p.client.Servers.CreateInProject(ctx, p.project, c, opts...)
	}
	return p.client.Servers.Create(ctx, c, opts...)
}

// newPassword is 15 characters: 5 digits, 5 upper-case and 5 lower-case letters. The panel's own rule is not documented; this form is what the vendor's WHMCS module sends.
func newPassword() provisioning.Secret {
	var out []byte
	for _, alphabet := range []string{"23456789", "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz"} {
		for range 5 {
			out = append(out, alphabet[index(len(alphabet))])
		}
	}
	for i := len(out) - 1; i > 0; i-- {
		j := index(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return provisioning.Secret(out)
}

// index is a uniform random number below n, which is at most 256.
func index(n int) int {
	var b [1]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if int(b[0]) < 256-256%n {
			return int(b[0]) % n
		}
	}
}

// place chooses a location for an order that names none: of the visible ones that offer the plan, the default one, otherwise the first.
func (p *Provider) place(ctx context.Context, plan string) (LocationID, error) {
	var first LocationID
	for l, err := range p.client.Locations.List(ctx, LocationFilter{}) {
		switch {
		case err != nil:
			return 0, err
		case !bool(l.IsVisible) || !available(l.AvailablePlans, plan):
		case bool(l.IsDefault):
			return l.ID, nil
		case first == 0:
			first = l.ID
		}
	}
	if first == 0 {
		return 0, &provisioning.Error{Panel: panelName, Op: "createServer", Kind: provisioning.Capacity, Message: "no visible location offers the plan"}
	}
	return first, nil
}

// MarkCreated implements provisioning.Creator: create has stored the Key already, and without it a server is not found.
func (p *Provider) MarkCreated(context.Context, provisioning.Intent) error { return nil }

// FindCreated implements provisioning.Creator.
func (p *Provider) FindCreated(ctx context.Context, i provisioning.Intent) ([]provisioning.Instance, error) {
	servers, err := p.ownerServers(ctx, i.Owner)
	if err != nil {
		return nil, err
	}
	found, err := p.carriers(ctx, servers, i.Key, i.Before)
	if err != nil {
		return nil, err
	}
	var out []provisioning.Instance
	for _, s := range found {
		out = append(out, s.instance())
	}
	return out, nil
}

// OpenCreated implements provisioning.Creator. The panel installs by itself, so build is always false.
func (p *Provider) OpenCreated(ctx context.Context, id provisioning.ID) (provisioning.Created, bool, error) {
	i, err := p.Instance(ctx, id)
	if err != nil {
		return provisioning.Created{ID: id}, false, err
	}
	server, err := parseID(id)
	if err != nil {
		return provisioning.Created{ID: id}, false, err
	}
	return provisioning.Created{ID: id, UUID: i.UUID, Operation: p.open(operation{what: waitCreate, server: server})}, false, nil
}

// keys registers the owner's SSH keys, each once: its name is made from its fingerprint and its owner, because the panel's list does not tell whose a key is. Inside a project the keys
// must be there.
func (p *Provider) keys(ctx context.Context, owner UserID, want []string) ([]SSHKeyID, error) {
	var ids []SSHKeyID
	for _, text := range want {
		id, err := p.key(ctx, owner, strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (p *Provider) key(ctx context.Context, owner UserID, text string) (SSHKeyID, error) {
	sum := sha256.Sum256([]byte(keyMaterial(text)))
	name := fmt.Sprintf("user-%d-%s", owner, hex.EncodeToString(sum[:8]))
	id, err := p.findKey(ctx, name, text)
	if err != nil || id != 0 {
		return id, err
	}
	if p.project > 0 {
		return 0, provisioning.InvalidField("sshKeys", "the project does not have the key, and a customer's token cannot register it: add it in the panel first")
	}
	made, err := p.client.SSHKeys.Create(ctx, CreateSSHKeyRequest{Name: name, Body: text, UserID: owner})
	if err == nil {
		return made.ID, nil
	}
	if id, lookErr := p.findKey(ctx, name, text); lookErr == nil && id != 0 {
		return id, nil
	}
	if !errors.Is(err, provisioning.ErrMaybeApplied) {
		return 0, err
	}
	// The doubt is about a key, which does no harm twice, and not about the server, which was not asked for yet.
	return 0, &provisioning.Error{Panel: panelName, Op: "createSSHKey", Kind: provisioning.Unavailable, Message: "the SSH key may not be registered: " + err.Error()}
}

func (p *Provider) findKey(ctx context.Context, name, text string) (SSHKeyID, error) {
	list := p.client.SSHKeys.List(ctx, SSHKeyFilter{Search: name})
	if p.project > 0 {
		list = p.client.SSHKeys.ListByProject(ctx, p.project, ListOptions{})
	}
	for k, err := range list {
		if err != nil {
			return 0, err
		}
		if (p.project > 0 || k.Name == name) && keyMaterial(k.Body) == keyMaterial(text) {
			return k.ID, nil
		}
	}
	return 0, nil
}

// keyMaterial is the type and the key without the comment.
func keyMaterial(text string) string {
	fields := strings.Fields(text)
	return strings.Join(fields[:min(len(fields), 2)], " ")
}
