package solusvm2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Rebuild reinstalls the server; all data is lost. The panel tells no password: use ResetRootPassword when the operation has ended, unless SSH keys are enough. The panel shows the old state for a moment, so
// the operation follows the task.
func (p *Provider) Rebuild(ctx context.Context, id provisioning.ID, r provisioning.RebuildRequest) (provisioning.Rebuilt, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	image, err := parse[OSImageVersionID]("image", r.Image)
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	s, err := p.client.Servers.Get(ctx, server)
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	var owner UserID
	if s.User != nil && p.project == 0 {
		owner = s.User.ID
	}
	keys, err := p.keys(ctx, owner, r.SSHKeys)
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	if r.Hostname != "" && !slices.Contains(s.FQDNs, r.Hostname) {
		if _, err := p.client.Servers.Update(ctx, server, UpdateServerRequest{FQDNs: []string{r.Hostname}}); err != nil {
			return provisioning.Rebuilt{}, err
		}
	}
	t, err := p.client.Servers.Reinstall(ctx, server, ReinstallServerRequest{OS: image, SSHKeys: keys})
	if err != nil {
		return provisioning.Rebuilt{}, err
	}
	return provisioning.Rebuilt{Operation: p.follow(server, t, waitIdle)}, nil
}

// Resize changes the plan, or single resources of the server, whose other sizes stay as they are. A new plan brings its own memory and cores, but the disk keeps its size unless Disk is given. The panel applies
// it in a task, which may restart the server. Other deviations of the server from its plan, such as a traffic limit of its own, end with it; that is a guess.
func (p *Provider) Resize(ctx context.Context, id provisioning.ID, r provisioning.ResizeRequest) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	custom, err := customPlan(r.Memory, r.Disk, r.VCPUs)
	if err != nil {
		return nil, err
	}
	if r.Plan == "" && custom == nil {
		return nil, provisioning.InvalidField("plan", "give a plan or a resource to change")
	}
	_, newDisk := r.Disk.Get()
	to := ResizeServerRequest{PreserveDisk: !newDisk, CustomPlan: custom}
	if r.Plan != "" {
		if to.PlanID, err = parse[PlanID]("plan", r.Plan); err != nil {
			return nil, err
		}
	} else {
		s, err := p.client.Servers.Get(ctx, server)
		if err != nil {
			return nil, err
		}
		if s.Plan == nil || s.Plan.ID <= 0 || s.Specifications == nil {
			return nil, provisioning.InvalidField("plan", "the panel does not tell the server's plan and sizes; give a plan")
		}
		to.PlanID = s.Plan.ID
		custom.Params.RAM = cmp.Or(custom.Params.RAM, s.Specifications.RAM)
		custom.Params.VCPU = cmp.Or(custom.Params.VCPU, int(s.Specifications.VCPU))
	}
	t, err := p.client.Servers.Resize(ctx, server, to)
	if err != nil {
		return nil, err
	}
	return p.follow(server, t, waitIdle), nil
}

// Rename changes the display name. Inside a project the name is where the Key is stored: an order is then found by its stored intent only.
func (p *Provider) Rename(ctx context.Context, id provisioning.ID, name string) error {
	server, err := parseID(id)
	if err != nil {
		return err
	}
	if name == "" {
		return provisioning.InvalidField("name", "is missing")
	}
	_, err = p.client.Servers.Update(ctx, server, UpdateServerRequest{Name: name})
	return err
}

// ResetRootPassword gives the guest a new root password, which is good when the operation has ended. SendMail mails it to the owner of the token, who is the administrator more often than the customer; the panel has
// no other mail. PasswordOptions.User is not known to the panel.
func (p *Provider) ResetRootPassword(ctx context.Context, id provisioning.ID, o provisioning.PasswordOptions) (provisioning.PasswordReset, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.PasswordReset{}, err
	}
	if o.User != "" && o.User != "root" && o.User != "Administrator" {
		return provisioning.PasswordReset{}, provisioning.InvalidField("user", "must be root or Administrator: the panel resets no other")
	}
	reset, err := p.client.Servers.ResetPassword(ctx, server, ResetPasswordOptions{MailTokenOwner: o.SendMail})
	if err != nil {
		return provisioning.PasswordReset{}, err
	}
	return provisioning.PasswordReset{Password: reset.Password, Operation: p.follow(server, reset.Task, waitIdle)}, nil
}

// OpenConsole prepares the console. It may end another viewer's session.
func (p *Provider) OpenConsole(ctx context.Context, id provisioning.ID) (provisioning.Console, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Console{}, err
	}
	v, err := p.client.Servers.OpenVNC(ctx, server)
	if err != nil {
		return provisioning.Console{}, err
	}
	c := provisioning.Console{Host: v.Host, Port: int(v.Port), Password: v.Password(), ReadyAt: time.Now()}
	if c.WebSocket, err = v.WebSocketURL(p.client.BaseURL()); err != nil {
		return provisioning.Console{}, err
	}
	if c.Password == "" { // older panels tell it with the server only
		s, err := p.client.Servers.Get(ctx, server)
		if err != nil {
			return c, err
		}
		c.Password = s.Settings.ConsolePassword()
	}
	return c, nil
}

// Addresses lists the server's addresses.
func (p *Provider) Addresses(ctx context.Context, id provisioning.ID) ([]provisioning.Address, error) {
	i, err := p.Instance(ctx, id)
	return i.Addresses, err
}

// AddIPv4 asks for addresses. The panel adds them in a task and does not say which: the result is empty, Addresses tells later.
func (p *Provider) AddIPv4(ctx context.Context, id provisioning.ID, count int) ([]provisioning.Address, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if count <= 0 {
		return nil, provisioning.InvalidField("count", "must be above zero")
	}
	_, err = p.client.Servers.AddIPs(ctx, server, AddIPsRequest{Count: count, Type: IPv4})
	return nil, err
}

// RemoveAddresses takes additional addresses away, by the panel's own rows: an IPv6 address stands for the whole network that holds it. An address that the server does not have is NotFound, the primary one of
// its kind is refused; then nothing is removed. The addresses go in a task: Addresses tells when.
func (p *Provider) RemoveAddresses(ctx context.Context, id provisioning.ID, addresses []netip.Addr) error {
	server, err := parseID(id)
	if err != nil {
		return err
	}
	if len(addresses) == 0 {
		return nil
	}
	s, err := p.client.Servers.Get(ctx, server)
	if err != nil {
		return err
	}
	var ids []IPAddressID
	for _, a := range addresses {
		row := s.addressID(a.Unmap())
		switch {
		case row == 0:
			return &provisioning.Error{Panel: panelName, Op: "removeServerIPs", Kind: provisioning.NotFound, Message: "the server does not have the address " + a.String()}
		case s.isPrimary(a.Unmap()):
			return provisioning.InvalidField("addresses", "%v is the primary address", a)
		case !slices.Contains(ids, row):
			ids = append(ids, row)
		}
	}
	_, err = p.client.Servers.RemoveIPs(ctx, server, RemoveIPsRequest{IDs: ids})
	return err
}

// addressID finds the panel's id of an address, or of the IPv6 network that holds it; 0 when there is none.
func (s *Server) addressID(a netip.Addr) IPAddressID {
	for _, v4 := range s.IPAddresses.IPv4 {
		if ip, err := netip.ParseAddr(v4.IP); err == nil && ip.Unmap() == a {
			return v4.ID
		}
	}
	for _, v6 := range s.IPAddresses.IPv6 {
		if prefix := v6.prefix(); prefix.IsValid() && prefix.Contains(a) {
			return v6.ID
		}
	}
	for _, old := range s.IPs {
		if ip, err := netip.ParseAddr(old.IP); err == nil && ip.Unmap() == a {
			return old.ID
		}
	}
	return 0
}

// isPrimary reports what Addresses tells: where the panel marks no primary address, the first one is.
func (s *Server) isPrimary(a netip.Addr) bool {
	return slices.ContainsFunc(s.Addresses(), func(own provisioning.Address) bool {
		return own.Kind == provisioning.AddressPrimary && (own.Prefix.Addr() == a || a.Is6() && own.Prefix.Contains(a))
	})
}

// EnterRescue switches the boot mode to the rescue system and restarts the server. That a restart is needed is a guess. The panel tells no password.
func (p *Provider) EnterRescue(ctx context.Context, id provisioning.ID) (provisioning.Rescue, error) {
	op, err := p.boot(ctx, id, BootRescue)
	return provisioning.Rescue{Operation: op}, err
}

// LeaveRescue switches the boot mode back to the disk and restarts the server.
func (p *Provider) LeaveRescue(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.boot(ctx, id, BootDisk)
}

func (p *Provider) boot(ctx context.Context, id provisioning.ID, mode BootMode) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if _, err := p.client.Servers.Update(ctx, server, UpdateServerRequest{BootMode: mode}); err != nil {
		return nil, err
	}
	return p.Restart(ctx, id)
}
