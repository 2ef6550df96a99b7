package virtfusiontest

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// netState is what the panel knows about networks besides servers and their blocks of addresses. Its tables are made when something is put into them.
type netState struct {
	Interfaces    map[int64]*iface          `json:"interfaces"`    // by interface id
	TrafficBlocks map[int64]*trafficBlock   `json:"trafficBlocks"` // by id
	Rulesets      map[int64]*ruleset        `json:"rulesets"`
	Blocks        map[int64]*blockSettings  `json:"blocks"` // by id of the block
	BlockGroups   map[int64]*blockGroup     `json:"blockGroups"`
	Networks      map[int64]*hvNetwork      `json:"networks"` // by id; a primary network only once it was changed
	Bound         map[int64]map[int64]int64 `json:"bound"`    // hypervisor id, block id: network id
	Order         map[int64][]int64         `json:"order"`    // hypervisor id: block ids
	RDNS          map[string]string         `json:"rdns"`     // address: name
	DNSServices   map[int64]*dnsService     `json:"dnsServices"`
}

// put stores a row in a table that may not exist yet.
func put[M ~map[K]V, K comparable, V any](table *M, key K, row V) V {
	if *table == nil {
		*table = M{}
	}
	(*table)[key] = row
	return row
}

// check finds what would make a handler fail.
func (n *netState) check(st *state) error {
	if !sound(n.Interfaces) || !sound(n.TrafficBlocks) || !sound(n.Rulesets) || !sound(n.Blocks) || !sound(n.BlockGroups) || !sound(n.Networks) || !sound(n.DNSServices) {
		return errors.New("a network table has empty rows")
	}
	for id, i := range n.Interfaces {
		known := func(a address) bool { return st.Blocks[a.BlockID] != nil }
		if slices.Contains(i.Rules, nil) || slices.Contains(i.VLANs, nil) || len(slices.DeleteFunc(slices.Clone(i.IPv4), known)) > 0 {
			return errors.New("interface " + strconv.FormatInt(id, 10) + " is incomplete")
		}
	}
	for id := range n.Blocks {
		if st.Blocks[id] == nil {
			return errors.New("settings of no block")
		}
	}
	return nil
}

func sound[T any](table map[int64]*T) bool { return table == nil || whole(table) }

// iface is what an interface has besides what all interfaces have. The IPv4 addresses of the primary one are in its server.
type iface struct {
	Name      string        `json:"name"` // of the guest's device, "" for what it was made with
	InKBps    *int64        `json:"in"`
	OutKBps   *int64        `json:"out"`
	Driver    *int64        `json:"driver"`
	Queues    *int64        `json:"queues"`
	Isolated  bool          `json:"isolated"`
	Unfilter  bool          `json:"unfilter"` // the address filter was switched off
	DHCPv4    bool          `json:"dhcpV4"`
	DHCPv6    bool          `json:"dhcpV6"`
	IPv4      []address     `json:"ipv4"`
	Whitelist []whitelisted `json:"whitelist"`
	Firewall  bool          `json:"firewall"`
	Rules     []*rule       `json:"rules"`
	Pending   bool          `json:"pending"` // the firewall has changes that were not pushed
	Pushes    int           `json:"pushes"`
	VLANs     []*vlan       `json:"vlans"`
	MACs      []extraMAC    `json:"macs"`
}

type whitelisted struct {
	ID     int64        `json:"id"`
	Prefix netip.Prefix `json:"prefix"`
}

// iface returns the record of an interface.
func (st *state) iface(id int64) *iface {
	if i := st.Net.Interfaces[id]; i != nil {
		return i
	}
	return put(&st.Net.Interfaces, id, &iface{})
}

// addresses are the IPv4 addresses of an interface.
func (st *state) addresses(s *server, interfaceID int64) *[]address {
	if interfaceID == s.InterfaceID {
		return &s.IPv4
	}
	return &st.iface(interfaceID).IPv4
}

// tagOf is the tag of an interface: ten digits, more than fit 32 bits.
func tagOf(interfaceID int64) int64 { return 4_200_000_000 + interfaceID*7_919_000 }

// interfaceOf finds the interface of a server that a word, or on 7.1 a tag, names; 0 when there is none.
func (c *call) interfaceOf(s *server, ref string) int64 {
	switch {
	case ref == "primary":
		return s.InterfaceID
	case ref == "secondary":
		return s.PrivateID
	case c.panel.version >= V71 && ref == strconv.FormatInt(tagOf(s.InterfaceID), 10):
		return s.InterfaceID
	case c.panel.version >= V71 && s.PrivateID != 0 && ref == strconv.FormatInt(tagOf(s.PrivateID), 10):
		return s.PrivateID
	}
	return 0
}

// findInterface returns the server and the interface that the path names, or the refusal.
func (c *call) findInterface() (*server, int64, answer) {
	s, a := c.find()
	if s == nil {
		return nil, 0, a
	}
	id := c.interfaceOf(s, c.r.PathValue("interfaceRef"))
	if id == 0 {
		return nil, 0, missing("interface")
	}
	return s, id, answer{}
}

// interface reads the member of a body that names an interface.
func (f *form) interfaceOf(c *call, s *server) int64 {
	name := f.text("interface", "", 16)
	if name != "primary" && name != "secondary" || c.interfaceOf(s, name) == 0 {
		f.fail("The selected interface is invalid.")
	}
	return c.interfaceOf(s, name)
}

// texts reads a list of texts.
func (f *form) texts(name string) []string {
	list, isList := f.in[name].([]any)
	if f.has(name) && !isList {
		f.fail("The %s field must be an array.", words(name))
	}
	var all []string
	for i, v := range list {
		text, isText := v.(string)
		if !isText {
			f.fail("The %s.%d field must be a string.", name, i)
		}
		all = append(all, text)
	}
	return all
}

// networkingOperations are all of networks, from the addresses of servers to those of hypervisors.
func networkingOperations() []operation {
	return slices.Concat(addressOperations(), trafficLimitOperations(), interfaceOperations(), firewallOperations(), ipBlockOperations(),
		rdnsOperations(), hypervisorNetworkOperations())
}

func addressOperations() []operation {
	return []operation{
		{"addIPv4Quantity", "POST /servers/{serverId}/ipv4Qty", "", (*call).addIPv4Quantity},
		{"addIPv4Addresses", "POST /servers/{serverId}/ipv4", "", (*call).addIPv4Addresses},
		{"removeIPv4Addresses", "DELETE /servers/{serverId}/ipv4", "", (*call).removeIPv4Addresses},
		{"addNetworkWhitelist", "POST /servers/{serverId}/networkWhitelist", "", (*call).addNetworkWhitelist},
		{"removeNetworkWhitelist", "DELETE /servers/{serverId}/networkWhitelist", "", (*call).removeNetworkWhitelist},
	}
}

// free is an address that can be handed out.
type free struct {
	block *block
	addr  netip.Addr
}

// freeIPv4 returns up to n addresses that a hypervisor may hand out, in the order of its blocks.
func (c *call) freeIPv4(h *hypervisor, n int64) []free {
	var found []free
	for _, b := range c.usableBlocks(h) {
		for a := range b.all(c.Net.Blocks[b.ID]) {
			if int64(len(found)) == n {
				return found
			}
			if b.Used[a.String()] == 0 {
				found = append(found, free{b, a})
			}
		}
	}
	return found
}

// give assigns addresses to an interface of a server.
func (c *call) give(s *server, interfaceID int64, given []free) []string {
	to := c.addresses(s, interfaceID)
	var all []string
	for _, g := range given {
		g.block.Used[g.addr.String()] = s.ID
		*to = append(*to, address{ID: c.next("address"), BlockID: g.block.ID, Addr: g.addr})
		all = append(all, g.addr.String())
	}
	s.Updated = c.now
	return all
}

// take returns addresses of an interface to their blocks.
func (c *call) take(s *server, interfaceID int64, goes func(address) bool) {
	from := c.addresses(s, interfaceID)
	for _, a := range *from {
		if goes(a) {
			delete(c.Blocks[a.BlockID].Used, a.Addr.String())
		}
	}
	*from = slices.DeleteFunc(*from, goes)
	s.Updated = c.now
}

// addIPv4Quantity gives all of the addresses or none (guess), and answers with them.
func (c *call) addIPv4Quantity() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("interface", "quantity")
	n := f.int("quantity", 0, 1, 1<<31-1)
	on := f.interfaceOf(c, s)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	given := c.freeIPv4(c.Hypervisors[s.HypervisorID], n)
	if int64(len(given)) < n {
		return invalid("Not enough free IPv4 addresses") // guess
	}
	return ok(c.give(s, on, given))
}

// interfaceNeeded says whether the operations on given addresses want an interface: the documentation of 6.2 does not list it.
func (c *call) interfaceNeeded(f *form) {
	if c.panel.version < V70 && !f.has("interface") {
		f.in["interface"] = "primary"
	}
	f.require("interface", "ip")
}

// addIPv4Addresses refuses addresses that are not free, also those that the server has already (guess).
func (c *call) addIPv4Addresses() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	c.interfaceNeeded(f)
	on := f.interfaceOf(c, s)
	given := c.wanted(f, s, f.texts("ip"))
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.give(s, on, given)
	return empty(http.StatusNoContent)
}

// wanted finds free addresses by name.
func (c *call) wanted(f *form, s *server, names []string) []free {
	usable := c.freeIPv4(c.Hypervisors[s.HypervisorID], 1<<31-1)
	var given []free
	for _, name := range names {
		i := slices.IndexFunc(usable, func(u free) bool { return u.addr.String() == name })
		if i < 0 {
			f.fail("The IPv4 address %s is not available", name) // guess
			continue
		}
		given = append(given, usable[i])
		usable = slices.Delete(usable, i, i+1)
	}
	return given
}

// removeIPv4Addresses refuses addresses that the interface does not have (guess).
func (c *call) removeIPv4Addresses() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	c.interfaceNeeded(f)
	on := f.interfaceOf(c, s)
	names := f.texts("ip")
	if len(f.errors) == 0 {
		c.held(f, s, on, names)
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.take(s, on, func(a address) bool { return slices.Contains(names, a.Addr.String()) })
	return empty(http.StatusNoContent)
}

// held checks that an interface has these addresses.
func (c *call) held(f *form, s *server, interfaceID int64, names []string) {
	for _, name := range names {
		if !slices.ContainsFunc(*c.addresses(s, interfaceID), func(a address) bool { return a.Addr.String() == name }) {
			f.fail("The IPv4 address %s is not assigned to this interface", name) // guess
		}
	}
}

func (c *call) addNetworkWhitelist() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("interface", "ip", "cidr")
	on := f.interfaceOf(c, s)
	addr, err := netip.ParseAddr(f.text("ip", "", 45))
	if f.has("ip") && err != nil {
		f.fail("The ip field must be a valid IP address.")
	}
	bits := f.int("cidr", 0, 0, int64(max(addr.BitLen(), 0)))
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	i := c.iface(on)
	i.Whitelist = append(i.Whitelist, whitelisted{ID: c.next("whitelist"), Prefix: netip.PrefixFrom(addr, int(bits))}) // twice when it is asked for twice (guess)
	return empty(http.StatusCreated)
}

func (c *call) removeNetworkWhitelist() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("interface", "ip")
	on := f.interfaceOf(c, s)
	ip := f.text("ip", "", 45)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	i := c.iface(on)
	before := len(i.Whitelist)
	i.Whitelist = slices.DeleteFunc(i.Whitelist, func(w whitelisted) bool { return w.Prefix.Addr().String() == ip })
	if len(i.Whitelist) == before {
		return missing("whitelist entry") // guess
	}
	return empty(http.StatusNoContent)
}

// network adds what the interface of a server has to what all interfaces have.
func (c *call) network(id int64, o obj) obj {
	i := c.Net.Interfaces[id]
	for _, row := range o["ipv4"].([]obj) {
		if name, found := c.Net.RDNS[row["address"].(string)]; found {
			row["rdns"] = name
		}
	}
	if i == nil {
		return o
	}
	if i.Name != "" {
		o["name"] = i.Name
	}
	for name, value := range map[string]*int64{"inAverage": i.InKBps, "outAverage": i.OutKBps, "driver": i.Driver, "processQueues": i.Queues} {
		if value != nil {
			o[name] = *value
		}
	}
	o["portIsolated"], o["ipFilter"], o["firewallEnabled"], o["dhcpV4"], o["dhcpV6"] = i.Isolated, !i.Unfilter, i.Firewall, bit(i.DHCPv4), bit(i.DHCPv6)
	list := []obj{}
	for _, w := range i.Whitelist {
		family := 4
		if w.Prefix.Addr().Is6() {
			family = 6
		}
		list = append(list, obj{"id": w.ID, "type": family, "ip": w.Prefix.Addr().String(), "mask": w.Prefix.Bits()})
	}
	o["ipWhitelist"], o["vlans"] = list, i.vlansJSON()
	return o
}

// bit is how some switches are shown.
func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// heldRows are the addresses that were given to a secondary interface. They lack blockId.
func (c *call) heldRows(interfaceID int64) []obj {
	var rows []obj
	if i := c.Net.Interfaces[interfaceID]; i != nil {
		for n, a := range i.IPv4 {
			row := ipv4JSON(a.Addr.String(), c.gatewayOf(a.BlockID), c.netmask(a.BlockID))
			row["id"], row["order"] = a.ID, n+2
			rows = append(rows, row)
		}
	}
	return rows
}

// seedNetworking adds to the default catalogue.
func (st *state) seedNetworking(now time.Time) {
	st.addRuleset("Web server", []FirewallRule{
		{Protocol: "tcp", Direction: "in", Action: "allow", DestinationPort: "22", Priority: 500},
		{Protocol: "tcp", Direction: "in", Action: "allow", DestinationPort: "443", Priority: 500},
		{Protocol: "all", Direction: "in", Action: "deny", Priority: 100},
	})
	put(&st.Net.DNSServices, DNSServiceMain, &dnsService{ID: DNSServiceMain, Name: "ClouDNS", Created: now})
}
