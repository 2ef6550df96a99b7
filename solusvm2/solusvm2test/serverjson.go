package solusvm2test

import "net/netip"

// status is what a server shows: its status, the status of the guest, whether it is processing, and how far that is. A restart or reinstallation leaves the
// old status in place until its task starts, as was seen on live panels.
func (c *call) status(s *server) (status, guest string, processing bool, progress any) {
	switch {
	case s.Reported != "":
		return s.Reported, s.Reported, false, nil
	case c.Nodes[s.NodeID].Status != nodeActive:
		guest = "unavailable"
	default:
		guest = s.guest()
		if guest == "not exist" && c.panel.old {
			guest = "not exists"
		}
	}
	t := c.openTask(s)
	if t == nil {
		return guest, guest, false, nil
	}
	status = map[string]string{TaskReinstall: "reinstalling", TaskRestart: "restarting"}[t.Action]
	if status != "" && c.now.Before(t.Start) {
		return guest, guest, false, nil
	}
	if status == "" {
		status = "processing"
	}
	return status, guest, true, t.progress(c.now)
}

// guest is the status of the guest as the compute resource knows it.
func (s *server) guest() string {
	switch {
	case !s.Exists:
		return "not exist"
	case s.Running:
		return "started"
	}
	return "stopped"
}

// ips returns the addresses of a server as texts, as webhooks carry them.
func (st *state) ips(s *server) []string {
	list := []string{}
	for _, id := range s.Addresses {
		a := st.Addresses[id]
		if p, err := netip.ParsePrefix(a.IP); err == nil {
			list = append(list, p.Addr().Next().String())
			continue
		}
		list = append(list, a.IP)
	}
	return list
}

func (c *call) serverJSON(s *server) obj {
	status, guest, processing, progress := c.status(s)
	keys := []obj{}
	for _, id := range s.KeyIDs {
		if k := c.Keys[id]; k != nil {
			keys = append(keys, c.keyJSON(k))
		}
	}
	o := obj{
		"id": s.ID, "uuid": s.UUID, "name": s.Name, "description": nullable(s.Description), "status": status, "real_status": guest, "is_processing": processing,
		"is_suspended": s.Suspended, "progress": progress, "virtualization_type": s.Plan.Virtualization, "os_type": "Linux", "fqdns": append([]string{}, s.FQDNs...),
		"specifications": obj{"vcpu": s.Plan.VCPU, "ram": s.Plan.RAM, "disk": s.Plan.Disk}, "ip_addresses": c.serverAddresses(s), "boot_mode": s.BootMode,
		"settings": c.serverSettings(s), "vnc_url": nil, "location": nil, "plan": c.planJSON(s.Plan), "project": nil, "user": nil, "ssh_keys": keys,
		"usage": c.serverUsage(s), "backup_settings": s.Backups, "next_scheduled_backup_at": nil, "created_at": c.time(s.Created),
	}
	if s.Windows {
		o["os_type"] = "Windows"
	}
	if l := c.Locations[s.LocationID]; l != nil {
		o["location"] = c.locationJSON(l)
	}
	if pr := c.Projects[s.ProjectID]; pr != nil {
		o["project"] = c.projectJSON(pr)
	}
	if u := c.Users[s.UserID]; u != nil {
		o["user"] = c.userJSON(u)
	}
	if c.panel.old {
		o["ips"] = c.legacyAddresses(s)
	}
	return o
}

func (c *call) serverSettings(s *server) obj {
	login := "root"
	if s.Windows {
		login = "Administrator"
	}
	o := obj{
		"vnc_enabled": !s.NoVNC, "user": login, "disk_cache_mode": s.DiskCache, "disk_driver": s.DiskDriver, "firmware": s.Firmware,
	}
	if c.panel.old {
		o["vnc"] = obj{"password": s.VNCPassword}
	} else {
		o["vnc_password"] = s.VNCPassword
	}
	return o
}

// shown returns the addresses of a server, none until the task that makes it has started.
func (c *call) shown(s *server) []*address {
	if t := c.openTask(s); t != nil && t.Action == TaskCreate && c.now.Before(t.Start) {
		return nil
	}
	var list []*address
	for _, id := range s.Addresses {
		list = append(list, c.Addresses[id])
	}
	return list
}

func (c *call) serverAddresses(s *server) obj {
	v4, v6 := []obj{}, []obj{}
	for _, a := range c.shown(s) {
		b := c.Blocks[a.BlockID]
		if network, err := netip.ParsePrefix(a.IP); err == nil {
			first := network.Addr().Next().String()
			v6 = append(v6, obj{"id": a.ID, "range": a.IP, "primary_ip": first, "ip": first, "is_primary": a.Primary, "gateway": b.Gateway})
			continue
		}
		v4 = append(v4, obj{"id": a.ID, "ip": a.IP, "is_primary": a.Primary, "gateway": b.Gateway, "netmask": b.Netmask, "issued_for": "vm"})
	}
	if !c.panel.old {
		return obj{"ipv4": v4, "ipv6": v6}
	}
	if len(v6) == 0 {
		return obj{"ipv4": v4, "ipv6": nil}
	}
	return obj{"ipv4": v4, "ipv6": v6[0]}
}

func (c *call) legacyAddresses(s *server) []obj {
	list := []obj{}
	for _, a := range c.shown(s) {
		b := c.Blocks[a.BlockID]
		list = append(list, obj{"id": a.ID, "ip": a.IP, "is_primary": a.Primary, "ip_block": ref(b.ID, b.Name)})
	}
	return list
}
