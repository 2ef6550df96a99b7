package virtfusiontest

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
)

// vlan is a VLAN on an interface.
type vlan struct {
	ID         int64 `json:"id"`
	Number     int64 `json:"vlanId"`
	NativeMode int64 `json:"nativeMode"`
	Trunk      int64 `json:"trunk"`
}

// extraMAC is an extra MAC address of an interface.
type extraMAC struct {
	ID  int64  `json:"id"`
	MAC string `json:"mac"`
}

// nothing is the answer of operations whose answers nobody has seen.
func nothing(status int) answer { return data(status, obj{}) }

func interfaceOperations() []operation {
	const one = "/servers/{serverId}/interfaces/{interfaceRef}"
	return []operation{
		{"listServerInterfaces", "GET /servers/{serverId}/interfaces", V71, (*call).listServerInterfaces},
		{"createServerInterface", "POST /servers/{serverId}/interfaces", V71, (*call).createServerInterface},
		{"getServerInterface", "GET " + one, V71, (*call).getServerInterface},
		{"updateServerInterface", "PUT " + one, V71, (*call).updateServerInterface},
		{"attachServerInterfaceIPv4", "POST " + one + "/ipv4", V71, (*call).attachServerInterfaceIPv4},
		{"detachServerInterfaceIPv4", "DELETE " + one + "/ipv4", V71, (*call).detachServerInterfaceIPv4},
		{"orderServerInterfaceIPv4", "PUT " + one + "/ipv4/order", V71, (*call).orderServerInterfaceIPv4},
		{"bindServerInterfaceIPv4Mac", "PUT " + one + "/ipv4/{ipId}/mac", V71, (*call).bindServerInterfaceIPv4Mac},
		{"attachServerInterfaceIPv6", "POST " + one + "/ipv6", V71, (*call).attachServerInterfaceIPv6},
		{"bindServerInterfaceIPv6Mac", "PUT " + one + "/ipv6/{subnetId}/mac", V71, (*call).bindServerInterfaceIPv6Mac},
		{"listServerInterfaceVlans", "GET " + one + "/vlans", V71, (*call).listServerInterfaceVlans},
		{"addServerInterfaceVlan", "POST " + one + "/vlans", V71, (*call).addServerInterfaceVlan},
		{"updateServerInterfaceVlan", "PUT " + one + "/vlans/{vlanId}", V71, (*call).updateServerInterfaceVlan},
		{"deleteServerInterfaceVlan", "DELETE " + one + "/vlans/{vlanId}", V71, (*call).deleteServerInterfaceVlan},
		{"listServerInterfaceMacs", "GET " + one + "/macs", V71, (*call).listServerInterfaceMacs},
		{"addServerInterfaceMac", "POST " + one + "/macs", V71, (*call).addServerInterfaceMac},
	}
}

func (c *call) listServerInterfaces() answer {
	if s, a := c.find(); s == nil {
		return a
	}
	return nothing(http.StatusOK)
}

func (c *call) getServerInterface() answer {
	if s, _, a := c.findInterface(); s == nil {
		return a
	}
	return nothing(http.StatusOK)
}

// createServerInterface gives a server its secondary interface. Servers of this panel have two at most.
func (c *call) createServerInterface() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	network := f.count("hypervisorNetworkId", 0)
	f.bool("apply", false)
	if network != 0 && c.networkOf(c.Hypervisors[s.HypervisorID], network) == nil {
		f.fail("Invalid hypervisor network")
	}
	if s.PrivateID != 0 {
		f.fail("The server has a secondary interface already")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	s.PrivateID, s.Updated = c.next("interface"), c.now
	return nothing(http.StatusCreated)
}

var deviceName = regexp.MustCompile(`^[A-Za-z0-9_-]{2,20}$`)

// updateServerInterface stores what the server shows of an interface.
func (c *call) updateServerInterface() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f, i := c.form(), c.Net.Interfaces[id]
	var next iface
	if i != nil {
		next = *i
	}
	if next.Name = f.text("name", next.Name, 20); f.has("name") && !deviceName.MatchString(next.Name) {
		f.fail("The name field format is invalid.")
	}
	if n := f.count("hypervisorNetworkId", 0); n != 0 && c.networkOf(c.Hypervisors[s.HypervisorID], n) == nil {
		f.fail("Invalid hypervisor network")
	}
	for name, value := range map[string]**int64{"inAverage": &next.InKBps, "outAverage": &next.OutKBps, "driver": &next.Driver, "processQueues": &next.Queues} {
		if f.has(name) {
			n := f.count(name, 0)
			*value = &n
		} else if _, null := f.in[name]; null {
			*value = nil
		}
	}
	if d := next.Driver; d != nil && (*d < 1 || *d > 3) {
		f.fail("The selected driver is invalid.")
	}
	if q := next.Queues; q != nil && (*q < 1 || *q > 40) && *q != 1000 {
		f.fail("The selected process queues is invalid.")
	}
	next.Isolated, next.Unfilter = f.bool("portIsolated", next.Isolated), !f.bool("ipFilter", !next.Unfilter)
	next.DHCPv4, next.DHCPv6 = f.bool("dhcpV4", next.DHCPv4), f.bool("dhcpV6", next.DHCPv6)
	f.bool("apply", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	*c.iface(id), s.Updated = next, c.now
	return nothing(http.StatusOK)
}

// attachServerInterfaceIPv4 knows addresses and a quantity. Ids of addresses that no server has are not shown anywhere, so it takes none.
func (c *call) attachServerInterfaceIPv4() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f := c.form()
	var given []free
	switch {
	case f.has("quantity"):
		n := f.int("quantity", 0, 1, 100)
		if given = c.freeIPv4(c.Hypervisors[s.HypervisorID], n); int64(len(given)) < n {
			f.fail("Not enough free IPv4 addresses")
		}
	case f.has("addresses"):
		given = c.wanted(f, s, f.texts("addresses"))
	default:
		f.fail("Invalid IPv4 addresses")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.give(s, id, given)
	return nothing(http.StatusCreated)
}

func (c *call) detachServerInterfaceIPv4() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f := c.form()
	names, ids := f.texts("addresses"), f.ints("ids")
	if len(names)+len(ids) == 0 {
		f.fail("The addresses field is required.")
	}
	c.held(f, s, id, names)
	for _, n := range ids {
		if !slices.ContainsFunc(*c.addresses(s, id), func(a address) bool { return a.ID == n }) {
			f.fail("Invalid IPv4 address id %d", n)
		}
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.take(s, id, func(a address) bool { return slices.Contains(names, a.Addr.String()) || slices.Contains(ids, a.ID) })
	return nothing(http.StatusOK)
}

// orderServerInterfaceIPv4 wants each address of the interface once.
func (c *call) orderServerInterfaceIPv4() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("order")
	order, list := f.ints("order"), c.addresses(s, id)
	var sortedList []address
	for _, n := range order {
		if i := slices.IndexFunc(*list, func(a address) bool { return a.ID == n }); i >= 0 && !slices.Contains(sortedList, (*list)[i]) {
			sortedList = append(sortedList, (*list)[i])
		}
	}
	if len(order) != len(*list) || len(sortedList) != len(*list) {
		f.fail("The order field must contain every address once.")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	*list, s.Updated = sortedList, c.now
	return nothing(http.StatusOK)
}

func (c *call) bindServerInterfaceIPv4Mac() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	return c.bindMAC(id, slices.ContainsFunc(*c.addresses(s, id), func(a address) bool { return a.ID == c.id("ipId") }))
}

func (c *call) bindServerInterfaceIPv6Mac() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	return c.bindMAC(id, id == s.InterfaceID && slices.ContainsFunc(s.IPv6, func(a address) bool { return a.ID == c.id("subnetId") }))
}

// bindMAC checks a binding. Nothing shows it afterwards, so it is not stored.
func (c *call) bindMAC(id int64, found bool) answer {
	if !found {
		return missing("address")
	}
	f := c.form()
	if _, given := f.in["macId"]; !given {
		f.fail("The mac id field must be present.")
	}
	if n := f.count("macId", 0); f.has("macId") && !slices.ContainsFunc(c.iface(id).MACs, func(m extraMAC) bool { return m.ID == n }) {
		f.fail("Invalid MAC address")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	return nothing(http.StatusOK)
}

// attachServerInterfaceIPv6 gives the primary interface a subnet.
func (c *call) attachServerInterfaceIPv6() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	b := c.blockOf(c.Hypervisors[s.HypervisorID].GroupID, true)
	if b == nil || id != s.InterfaceID {
		return invalid("No available IPv6 subnet")
	}
	f := c.form()
	if !f.has("subnet") {
		before := len(s.IPv6)
		if c.assignIPv6(s); len(s.IPv6) == before {
			return invalid("No available IPv6 subnet")
		}
		return nothing(http.StatusCreated)
	}
	subnet, err := netip.ParseAddr(f.text("subnet", "", 45))
	if err != nil || netip.PrefixFrom(subnet, 64).Masked().Addr() != subnet || !b.Prefix.Contains(subnet) || b.Used[subnet.String()] != 0 {
		return invalid("The subnet is not available")
	}
	b.Used[subnet.String()] = s.ID
	s.IPv6 = append(s.IPv6, address{ID: c.next("address"), BlockID: b.ID, Addr: subnet})
	return nothing(http.StatusCreated)
}

func (i *iface) vlansJSON() []obj {
	rows := []obj{}
	for _, v := range i.VLANs {
		rows = append(rows, v.json())
	}
	return rows
}

// json has the members of the requests; the answer was never seen.
func (v *vlan) json() obj {
	return obj{"id": v.ID, "vlanId": v.Number, "nativeMode": v.NativeMode, "trunk": v.Trunk}
}

func (c *call) listServerInterfaceVlans() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	return ok(c.iface(id).vlansJSON())
}

func (c *call) addServerInterfaceVlan() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f, i := c.form(), c.iface(id)
	f.require("vlanId")
	v := &vlan{Number: f.int("vlanId", 0, 1, 4094), NativeMode: f.int("nativeMode", 0, 0, 2)}
	if slices.ContainsFunc(i.VLANs, func(other *vlan) bool { return other.Number == v.Number }) {
		f.fail("The vlan id has already been taken.")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	v.ID = c.next("vlan")
	i.VLANs = append(i.VLANs, v)
	return data(http.StatusCreated, v.json())
}

// findVLAN returns the interface and the entry that the path names, or the refusal.
func (c *call) findVLAN() (*iface, *vlan, answer) {
	s, id, a := c.findInterface()
	if s == nil {
		return nil, nil, a
	}
	for _, v := range c.iface(id).VLANs {
		if v.ID == c.id("vlanId") {
			return c.iface(id), v, answer{}
		}
	}
	return nil, nil, missing("vlan")
}

func (c *call) updateServerInterfaceVlan() answer {
	_, v, a := c.findVLAN()
	if v == nil {
		return a
	}
	f := c.form()
	native, trunk := f.int("nativeMode", v.NativeMode, 0, 2), f.int("trunk", v.Trunk, 0, 2)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	v.NativeMode, v.Trunk = native, trunk
	return ok(v.json())
}

func (c *call) deleteServerInterfaceVlan() answer {
	i, v, a := c.findVLAN()
	if v == nil {
		return a
	}
	i.VLANs = slices.DeleteFunc(i.VLANs, func(other *vlan) bool { return other.ID == v.ID })
	return empty(http.StatusNoContent)
}

func (c *call) listServerInterfaceMacs() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	rows := []obj{}
	for _, m := range c.iface(id).MACs {
		rows = append(rows, obj{"id": m.ID, "mac": m.MAC})
	}
	return ok(rows)
}

func (c *call) addServerInterfaceMac() answer {
	s, id, a := c.findInterface()
	if s == nil {
		return a
	}
	f, i := c.form(), c.iface(id)
	text := f.text("mac", "", 17)
	if mac, err := net.ParseMAC(text); text != "" && (err != nil || len(mac) != 6 || mac[0]&1 != 0) {
		f.fail("The mac field must be a valid MAC address.")
	}
	if slices.ContainsFunc(i.MACs, func(m extraMAC) bool { return m.MAC == text }) {
		f.fail("The mac has already been taken.")
	}
	if len(i.MACs) >= 64 {
		f.fail("The interface has 64 MAC addresses already")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	m := extraMAC{ID: c.next("mac"), MAC: text}
	if text == "" {
		m.MAC = fmt.Sprintf("02:2A:%02X:%02X:%02X:%02X", m.ID>>24&255, m.ID>>16&255, m.ID>>8&255, m.ID&255)
	}
	i.MACs = append(i.MACs, m)
	return data(http.StatusCreated, obj{"id": m.ID, "mac": m.MAC})
}
