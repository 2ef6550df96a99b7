package virtfusiontest

import (
	"fmt"
	"strconv"
	"strings"
)

// serverJSON is the whole server, as GET and POST show it, without remoteState. PHP's habits are kept: an empty object is [], a switch may be 0 or 1, a flag may be text.
func (c *call) serverJSON(s *server) obj {
	state, commission := c.phase(s)
	o := obj{
		"id": s.ID, "ownerId": s.OwnerID, "hypervisorId": s.HypervisorID, "arch": 1, "name": s.Name, "selfService": 0, "selfServiceSettings": []any{},
		"hostname": textOrNull(s.Hostname), "commissionStatus": commission, "uuid": s.UUID, "state": state, "migratable": true, "timezone": s.Timezone,
		"migrateLevel": 0, "deleteLevel": 0, "configLevel": 0, "backupLevel": 0, "elevated": false, "elevateId": nil, "elevate": false, "destroyable": true,
		"rebuild": false, "suspended": s.Suspended, "protected": false, "buildFailed": false, // false also when state is failed
		"primaryNetworkDhcp4": false, "primaryNetworkDhcp6": false, "built": nullable(s.Built, offset), "created": offset(s.Created), "updated": offset(s.Updated),
		"traffic": c.trafficPeriodJSON(s), "settings": settingsJSON(s), "cpu": cpuJSON(s), "customXML": customXML(), "qemuCommandline": []any{},
		"qemuAgent": obj{"os": c.agentOS(s)}, "backupPlan": obj{"id": nil, "name": nil}, "hypervisorAssets": []any{}, "sharedUsers": []any{},
		"media":   obj{"isoMounted": false, "isoType": "local", "isoName": "", "isoFilename": "", "isoUrl": "", "isoDownload": false},
		"vnc":     obj{"ip": c.Hypervisors[s.HypervisorID].IP, "port": vncPort(s), "enabled": c.vncEnabled(s)},
		"network": obj{"interfaces": []obj{c.interfaceJSON(s)}, "secondaryInterfaces": c.secondaryJSON(s)}, "storage": storageJSON(s),
		"hypervisor": c.serverHypervisorJSON(s), "owner": c.ownerJSON(s), "sshKeys": c.serverKeysJSON(s), "tasks": c.tasksJSON(s),
	}
	if t := c.template(s.TemplateID); t != nil && c.panel.version >= V70 { // seen by integrations of 7.0, not in the vendor's example
		o["os"] = obj{"templateName": t.label()}
	}
	if commission == 1 {
		o["configLevel"] = 1
	}
	c.managed(s, o)
	return o
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// label joins the parts of a template's name that exist.
func (t *template) label() string {
	return strings.Join(strings.Fields(t.Name+" "+t.Version+" "+t.Variant), " ")
}

func (c *call) trafficPeriodJSON(s *server) obj {
	n := s.period(c.now)
	return obj{"public": obj{"countMethod": 1, "currentPeriod": obj{
		"start": micros(s.periodStart(n)), "end": micros(s.periodStart(n + 1).Add(-1000)), "limit": s.TrafficGB,
	}}}
}

func settingsJSON(s *server) obj {
	var config any = []any{}
	if !s.Built.IsZero() {
		config = obj{"cloud.init": obj{
			"on.network": obj{"netplan_routes_v4": true, "netplan_routes_v6": true},
			"on.all":     obj{"user.data": obj{"runcmd": []string{"/usr/bin/systemctl enable --now qemu-guest-agent"}}},
			"on.sshkey":  obj{"user.data": []any{}},
		}}
	}
	return obj{
		"osTemplateInstall": true, "osTemplateInstallId": s.TemplateID, "encryptedPassword": encrypted, "backupPlan": nil, "uefi": false, "uefiType": 0,
		"cloudInit": true, "cloudInitType": 1, "config": config, "userConfig": []any{}, "bootOrder": []string{"hd", "cdrom"}, "tpmType": 0, "networkBoot": false,
		"bootMenu": 1, "customISO": 1, "securityDriver": 3, "memBalloon": obj{"model": 1, "autoDeflate": 0, "freePageReporting": 0},
		"hyperv": obj{
			"enabled": false, "passthrough": false, "relaxed": 0, "vapic": 0, "spinlocks": 0, "vpindex": 0, "runtime": 0, "synic": 0, "stimer": 0, "reset": 0,
			"vendorId": 0, "frequencies": 0, "reenlightenment": 0, "tlbflush": 0, "ipi": 0, "evmcs": 0, "vendorIdValue": "KVM", "spinlocksValue": 8191, "clockEnabled": 0,
		},
		"extended": obj{"cpuFlags": obj{"topoext": "1", "svm": "1", "vmx": "1"}}, "machineType": "inherit", "pciPorts": 16,
		"resources": obj{"memory": s.MemoryMB, "storage": s.Disks[0].CapacityGB, "traffic": s.TrafficGB, "cpuCores": s.Cores},
	}
}

func cpuJSON(s *server) obj {
	return obj{
		"cores": s.Cores, "type": "inherit", "typeExact": "host-model", "shares": 1024, "throttle": 0,
		"topology": obj{"enabled": false, "sockets": 1, "cores": s.Cores, "threads": 1, "dies": 1},
	}
}

func customXML() obj {
	o := obj{}
	for _, section := range []string{"domain", "os", "devices", "features", "clock", "cpuTune"} {
		o[section] = obj{"xml": "", "enabled": false}
	}
	return o
}

// screenshot is the picture of the guest's screen that every server carries: one pixel here, kilobytes on a real panel.
const screenshot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="

// agentOS is what the guest agent told last; before the first build nothing.
func (c *call) agentOS(s *server) any {
	t := c.template(s.TemplateID)
	if t == nil {
		return []any{}
	}
	id := strings.ToLower(strings.Fields(t.Name)[0])
	return obj{
		"screen": screenshot, "pretty-name": t.Name + " " + t.Version, "kernel-release": "6.8.0-31-generic", "id": id, "name": t.Name, "dist": id, "img": id + "_logo.png",
	}
}

// interfaceBase is what primary and secondary interfaces share.
func (c *call) interfaceBase(s *server, id int64, name, kind string) obj {
	network := c.Hypervisors[s.HypervisorID].NetworkID
	mac := fmt.Sprintf("00:2A:%02X:%02X:%02X:%02X", id>>24&255, id>>16&255, id>>8&255, id&255)
	return obj{
		"id": id, "order": 1, "enabled": true, "tag": tagOf(id), "name": name, "type": kind, "driver": 1, "processQueues": nil,
		"mac": mac, "ipv4ToMac": nil, "ipv6ToMac": nil, "inTrafficCount": true, "outTrafficCount": true, "inPeak": 0, "inBurst": 0,
		"outPeak": 0, "outBurst": 0, "ipFilter": true, "vlans": []any{}, "ipFilterType": "4-6", "portIsolated": false, "ipv4_resolver_1": 1, "ipv4_resolver_2": 2,
		"ipv6_resolver_1": 1, "ipv6_resolver_2": 2, "networkProfile": 0, "dhcpV4": 0, "dhcpV6": 0, "firewallEnabled": false, "hypervisorNetwork": network,
		"isNat": false, "nat": false, "firewall": []any{}, "ipWhitelist": []any{}, "actions": []any{}, "inAverage": 0, "outAverage": 0,
		"hypervisorConnectivity": obj{"id": network, "type": "simpleBridge", "bridge": "br0", "mtu": nil, "primary": true, "default": true},
	}
}

func (c *call) interfaceJSON(s *server) obj {
	o := c.interfaceBase(s, s.InterfaceID, "eth0", "public")
	o["inAverage"], o["outAverage"] = s.SpeedInKBps, s.SpeedOutKBps
	v4, v6 := []obj{}, []obj{}
	for i, a := range s.IPv4 {
		row := ipv4JSON(a.Addr.String(), c.gatewayOf(a.BlockID), c.netmask(a.BlockID))
		row["id"], row["order"], row["blockId"] = a.ID, i+1, a.BlockID
		v4 = append(v4, row)
	}
	for _, a := range s.IPv6 {
		b := c.Blocks[a.BlockID]
		v6 = append(v6, obj{
			"id": a.ID, "block": obj{"id": b.ID, "name": b.Name}, "order": 1, "enabled": true, "addresses": []any{}, "addressesDetailed": []any{},
			"subnet": a.Addr.String(), "cidr": 64, "exhausted": false, "gateway": b.gateway().String(), "resolver1": "2001:db8::53", "resolver2": "2001:db8::54",
			"routeNet": false,
		})
	}
	o["ipv4"], o["ipv6"] = v4, v6
	return c.network(s.InterfaceID, o)
}

func (c *call) netmask(blockID int64) string {
	return c.settings(c.Blocks[blockID]).Netmask
}

func ipv4JSON(address, gateway, netmask string) obj {
	return obj{
		"enabled": true, "address": address, "gateway": gateway, "netmask": netmask, "resolver1": "192.0.2.53", "resolver2": "192.0.2.54", "rdns": nil, "mac": nil,
	}
}

// secondaryJSON is the private interface of packages that have one. Its rows lack blockId.
func (c *call) secondaryJSON(s *server) []obj {
	if s.PrivateID == 0 {
		return []obj{}
	}
	o := c.interfaceBase(s, s.PrivateID, "eth1", "private")
	row := ipv4JSON(fmt.Sprintf("10.64.%d.%d", s.ID>>8&255, s.ID&255), "10.64.0.1", "255.255.0.0")
	row["id"], row["order"] = 9000+s.PrivateID, 1
	o["ipv4"], o["ipv6"] = append([]obj{row}, c.heldRows(s.PrivateID)...), []any{}
	return []obj{c.network(s.PrivateID, o)}
}

func storageJSON(s *server) []obj {
	rows := []obj{}
	for i, d := range s.Disks {
		status := 3
		if d.Waiting {
			status = 1
		}
		name := fmt.Sprintf("%s_%d", s.UUID, i+1)
		rows = append(rows, obj{
			"_id": d.ID, "id": i + 1, "cache": nil, "bus": nil, "capacity": d.CapacityGB, "drive": string(rune('a' + i)), "datastoreDiskId": nil, "filesystem": nil,
			"iops": obj{"read": nil, "write": nil}, "bytes": obj{"read": nil, "write": nil}, "type": "qcow2", "profile": 1, "status": status, "enabled": !d.Waiting,
			"primary": i == 0, "created": offset(s.Created), "updated": offset(s.Created), "datastore": []any{}, "name": name, "filename": name + ".img",
			"hypervisorStorageId": nil, "local": true, "locationType": "mountpoint", "path": "/home/vf-data/disk",
		})
	}
	return rows
}

func (c *call) serverHypervisorJSON(s *server) obj {
	h := c.Hypervisors[s.HypervisorID]
	return obj{
		"id": h.ID, "ip": h.IP, "hostname": nil, "port": 8892, "maintenance": h.Maintenance, "groupId": h.GroupID,
		"group": obj{"name": c.Groups[h.GroupID].Name, "icon": nil}, "timezone": "Europe/Amsterdam", "forceIPv6": false, "vncListenType": 1, "displayName": nil,
		"cpuSet": nil, "nfType": 4, "backupStorageType": 2, "defaultDiskType": "inherit", "defaultDiskCacheType": "inherit", "defaultCPU": "inherit",
		"defaultMachineType": "inherit", "created": offset(h.Created), "updated": offset(h.Created), "name": h.Name, "dataDir": "/home/vf-data",
		"resources": c.resourcesJSON(h),
	}
}

// ownerJSON shows the owner with the server's time format, which is not that of the user operations.
func (c *call) ownerJSON(s *server) obj {
	u := c.Users[s.OwnerID]
	o := obj{
		"id": u.ID, "admin": u.Admin, "extRelationId": nil, "name": u.Name, "email": u.Email, "timezone": "Europe/Amsterdam", "suspended": false,
		"twoFactorAuth": false, "created": offset(u.Created), "updated": offset(u.Updated),
	}
	if u.ExtRelationID != 0 {
		o["extRelationId"] = u.ExtRelationID
	}
	return o
}

func (c *call) serverKeysJSON(s *server) []obj {
	rows := []obj{}
	for _, id := range s.KeyIDs {
		if k := c.Keys[id]; k != nil {
			rows = append(rows, obj{
				"id": k.ID, "ownerId": k.OwnerID, "type": "OpenSSH", "name": k.Name, "public": k.PublicKey, "enabled": true, "created": offset(k.Created),
			})
		}
	}
	return rows
}

func (c *call) tasksJSON(s *server) obj {
	pending := []obj{}
	for _, d := range s.Deferred {
		if !d.Complete {
			pending = append(pending, d.json())
		}
	}
	return obj{"active": c.busy(s), "lastOn": nullable(s.LastJob, naive), "actions": obj{"pending": pending}}
}

func (d *deferred) json() obj {
	var payload any = []any{}
	if d.DiskID != 0 {
		payload = obj{"disk": obj{"id": d.DiskID, "disk_storage_id": nil}}
	}
	return obj{
		"id": d.ID, "action": d.Action, "requires": []string{"boot", "restart", "shutdown", "poweroff"}, "collected": d.Collected, "complete": d.Complete,
		"failed": d.Failed, "payload": payload, "created": offset(d.Created),
	}
}

// userServerJSON is the row of a user's list, with names of its own.
func (c *call) userServerJSON(s *server) obj {
	state, commission := c.phase(s)
	network := c.interfaceJSON(s)
	short := obj{}
	for _, name := range []string{
		"order", "enabled", "tag", "name", "mac", "inAverage", "inPeak", "inBurst", "outAverage", "outPeak", "outBurst", "isNat", "ipv4", "ipv6",
	} {
		short[name] = network[name]
	}
	for _, row := range short["ipv4"].([]obj) {
		for _, name := range []string{"id", "blockId", "rdns", "mac"} {
			delete(row, name)
		}
	}
	enabled := 0
	if c.vncEnabled(s) {
		enabled = 1
	}
	return obj{
		"id": s.ID, "ownerId": s.OwnerID, "hypervisorId": s.HypervisorID, "name": s.Name, "hostname": textOrNull(s.Hostname), "commissionStatus": commission,
		"uuid": s.UUID, "state": state, "rebuild": false, "suspended": s.Suspended, "protected": false, "buildFailed": false, "backup_level": 0, "backup_plan": nil,
		"os": c.agentOS(s), "server_info": obj{"show": false, "icon": nil, "name": nil, "label": nil},
		"vnc":       obj{"expose_details": true, "ip": c.Hypervisors[s.HypervisorID].IP, "hostname": nil, "port": vncPort(s), "enabled": enabled},
		"resources": obj{"memory": s.MemoryMB, "storage": s.Disks[0].CapacityGB, "traffic": s.TrafficGB, "cpuCores": s.Cores, "cpu_model": nil},
		"network":   obj{"interfaces": []obj{short}}, "config": obj{"uefi": false, "bootOrder": []string{"hd", "cdrom"}},
		"media": obj{"isoMounted": false, "isoName": ""},
	}
}

// remoteState is the live view of a server whose hypervisor answers. Numbers come as numbers and as text; a guest that is off has empty arrays (guess).
func remoteState(s *server) any {
	if s.Built.IsZero() {
		return false // there is no domain to ask about
	}
	if !s.Running {
		return obj{"running": false, "state": "shutoff", "cpu": 0, "memory": []any{}, "disk": []any{}, "agent": []any{}}
	}
	kib := s.MemoryMB << 10
	capacity := s.Disks[0].CapacityGB << 30
	return obj{
		"running": true, "state": "running", "cpu": 17.4,
		"memory": obj{"actual": kib, "unused": strconv.FormatInt(kib/2, 10), "available": kib - 40_000, "usable": strconv.FormatInt(kib*3/5, 10), "rss": kib / 3},
		"disk": obj{"vda": obj{
			"rd.bytes": 412_090_368, "rd.reqs": 14_022, "wr.bytes": 1_208_221_696, "wr.reqs": 40_311,
			"capacity": strconv.FormatInt(capacity, 10), "physical": strconv.FormatInt(capacity/5, 10),
		}},
		"agent": obj{"fsinfo": []obj{{"name": "vda1", "mountpoint": "/", "type": "ext4", "used-bytes": capacity / 8, "total-bytes": capacity - 1<<29}}},
	}
}
