package solusvm2test

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// block is a range or a set of addresses that compute resources hand out.
type block struct {
	ID         int64            `json:"id"`
	Name       string           `json:"name"`
	V6         bool             `json:"v6"`
	Set        bool             `json:"set"`    // the addresses are registered one by one
	From       netip.Addr       `json:"from"`   // of a range of IPv4 addresses, with To
	To         netip.Addr       `json:"to"`     //
	Range      netip.Prefix     `json:"range"`  // of IPv6
	Subnet     int              `json:"subnet"` // length of the networks that servers get of Range
	Gateway    string           `json:"gateway"`
	Netmask    string           `json:"netmask"`
	NS1        string           `json:"ns1"`
	NS2        string           `json:"ns2"`
	Zone       string           `json:"zone"` // of reverse DNS
	ReverseDNS bool             `json:"reverseDns"`
	Nodes      []int64          `json:"nodes"`
	Next       uint64           `json:"next"`  // number of the first address of a range that nobody has looked at
	Known      map[string]int64 `json:"known"` // registered addresses by their text: their ids
	Back       []int64          `json:"back"`  // those among them that may be handed out, in the order in which they came back
	Created    time.Time        `json:"created"`
}

// address is one registered address, or one IPv6 network. Addresses that were never used are not registered.
type address struct {
	ID       int64     `json:"id"`
	BlockID  int64     `json:"blockId"`
	IP       string    `json:"ip"` // of a network: "2001:db8::1:0/112"
	ServerID int64     `json:"serverId"`
	Primary  bool      `json:"primary"`
	Reserved bool      `json:"reserved"` // not handed out
	Comment  string    `json:"comment"`
	Created  time.Time `json:"created"`
}

// IPBlock describes a block of IPv4 addresses (From to To, or a Set) or of IPv6 networks (Range, Subnet) to add.
type IPBlock struct {
	Name    string
	From    netip.Addr
	To      netip.Addr
	Set     []netip.Addr
	Range   netip.Prefix
	Subnet  int // length of the networks that servers get, 112 when 0
	Gateway netip.Addr
}

// AddIPBlock adds a block and returns its id. Compute resources that are added later name it.
func (p *Panel) AddIPBlock(in IPBlock) int64 {
	return view(p, func(c *call) int64 { return c.addIPBlock(c.now, in) })
}

func (st *state) addIPBlock(now time.Time, in IPBlock) int64 {
	b := &block{
		Name: in.Name, From: in.From, To: in.To, Set: len(in.Set) > 0, Range: in.Range, Subnet: in.Subnet, V6: in.Range.IsValid(), Netmask: "255.255.224.0",
		NS1: "192.0.2.53", NS2: "192.0.2.54",
	}
	if in.Gateway.IsValid() {
		b.Gateway = in.Gateway.String()
	}
	if b.V6 {
		b.Netmask = ""
		if b.Subnet == 0 {
			b.Subnet = 112
		}
	}
	st.storeBlock(now, b)
	for _, a := range in.Set {
		st.back(st.register(now, b, a.String()))
	}
	return b.ID
}

func (st *state) storeBlock(now time.Time, b *block) {
	b.ID, b.Created, b.Known = st.next("block"), now, map[string]int64{}
	st.Blocks[b.ID] = b
}

// register makes an address of a block known.
func (st *state) register(now time.Time, b *block, ip string) *address {
	a := &address{ID: st.next("address"), BlockID: b.ID, IP: ip, Created: now}
	st.Addresses[a.ID], b.Known[ip] = a, a.ID
	return a
}

func blockOperations() []operation {
	return []operation{
		{"listIPBlocks", "GET /ip_blocks", admins, (*call).listBlocks},
		{"createIPBlock", "POST /ip_blocks", admins, (*call).createBlock},
		{"getIPBlock", "GET /ip_blocks/{id}", admins, (*call).getBlock},
		{"updateIPBlock", "PUT /ip_blocks/{id}", admins, (*call).updateBlock},
		{"deleteIPBlock", "DELETE /ip_blocks/{id}", admins, (*call).deleteBlock},
		{"listIPBlockAddresses", "GET /ip_blocks/{id}/ips", admins, (*call).listBlockAddresses},
		{"createIPBlockAddress", "POST /ip_blocks/{id}/ips", admins, (*call).createBlockAddress},
		{"patchIPAddress", "PATCH /ips/{id}", admins, (*call).patchAddress},
		{"deleteIPAddress", "DELETE /ips/{id}", admins, (*call).deleteAddress},
	}
}

func (c *call) listBlocks() answer {
	return page(c, slices.DeleteFunc(sorted(c.Blocks), func(b *block) bool { return !c.found(b.Name) }), c.blockJSON)
}

func (c *call) getBlock() answer {
	b := find(c, c.Blocks)
	if b == nil {
		return c.lost("IpBlock")
	}
	return ok(c.blockJSON(b))
}

// addr reads an address, def when absent.
func (f *form) addr(name string, def netip.Addr) netip.Addr {
	text := f.text(name, "", 64)
	if text == "" {
		return def
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		f.fail(name, "The %s must be a valid IP address.", words(name))
	}
	return a
}

// readBlock reads what creation and change have in common.
func (c *call) readBlock(f *form, b *block) {
	f.require("name", "type", "gateway")
	b.Name, b.Gateway = f.text("name", b.Name, 255), f.text("gateway", b.Gateway, 64)
	f.addr("gateway", netip.Addr{})
	b.V6 = f.word("type", "", "IPv4", "IPv6") == "IPv6"
	b.Set = f.word("list_type", "range", "range", "set") == "set"
	b.NS1, b.NS2, b.Netmask = f.text("ns_1", b.NS1, 64), f.text("ns_2", b.NS2, 64), f.text("netmask", b.Netmask, 64)
	dns := f.object("reverse_dns")
	b.Zone, b.ReverseDNS = dns.text("zone", b.Zone, 255), dns.bool("enabled", b.ReverseDNS)
	b.Nodes = refIDs(f, "compute_resources", b.Nodes, c.Nodes)
	switch {
	case b.V6:
		f.require("range", "subnet")
		b.Subnet = int(f.int("subnet", int64(b.Subnet), 83, 128))
		if p, err := netip.ParsePrefix(f.text("range", b.Range.String(), 64)); err != nil || !p.Addr().Is6() || p.Bits() > b.Subnet {
			f.fail("range", "The range must be a network of IPv6 that holds such subnets.")
		} else {
			b.Range = p
		}
	case !b.Set:
		f.require("from", "to", "netmask")
		b.From, b.To = f.addr("from", b.From), f.addr("to", b.To)
		if !b.From.Is4() || !b.To.Is4() || b.To.Less(b.From) {
			f.fail("to", "The to must be an IPv4 address that is not before from.")
		}
	}
}

func (c *call) createBlock() answer {
	f := c.form()
	b := &block{}
	c.readBlock(f, b)
	if f.failed() {
		return f.invalid()
	}
	c.storeBlock(c.now, b)
	return made(c.blockJSON(b))
}

// updateBlock cannot turn a block into one of another kind while it has addresses (guess).
func (c *call) updateBlock() answer {
	b := find(c, c.Blocks)
	if b == nil {
		return c.lost("IpBlock")
	}
	f := c.form()
	changed := *b
	c.readBlock(f, &changed)
	if len(b.Known) > 0 && (changed.V6 != b.V6 || changed.Set != b.Set) {
		f.fail("type", "The type of a block with addresses cannot be changed.")
	}
	if f.failed() {
		return f.invalid()
	}
	if changed.From != b.From || changed.Range != b.Range || changed.Subnet != b.Subnet {
		changed.Next = 0
	}
	*b = changed
	c.log(c.now, c.user.Email, "ip_block_changed", obj{"id": b.ID, "name": b.Name})
	return ok(c.blockJSON(b))
}

// deleteBlock refuses while a server has an address of it (guess).
func (c *call) deleteBlock() answer {
	b := find(c, c.Blocks)
	if b == nil {
		return c.lost("IpBlock")
	}
	for _, id := range b.Known {
		if c.Addresses[id].ServerID != 0 {
			return conflict("The block has addresses that are in use.")
		}
	}
	for _, id := range b.Known {
		delete(c.Addresses, id)
	}
	delete(c.Blocks, b.ID)
	return noContent()
}

// listBlockAddresses lists registered addresses only.
func (c *call) listBlockAddresses() answer {
	b := find(c, c.Blocks)
	if b == nil {
		return c.lost("IpBlock")
	}
	var rows []*address
	for _, id := range b.Known {
		rows = append(rows, c.Addresses[id])
	}
	slices.SortFunc(rows, func(x, y *address) int { return int(x.ID - y.ID) })
	return page(c, rows, c.addressJSON)
}

// createBlockAddress registers the address that is named, which is how a set grows (guess), or the next one of a range, as the vendor's client asks for it
// without a body.
func (c *call) createBlockAddress() answer {
	b := find(c, c.Blocks)
	if b == nil {
		return c.lost("IpBlock")
	}
	f := c.form()
	ip := f.addr("ip", netip.Addr{})
	if b.Set {
		f.require("ip")
	}
	switch {
	case !f.has("ip"):
	case b.Known[ip.String()] != 0:
		f.fail("ip", "The ip has already been taken.")
	case !b.Set && !b.contains(ip):
		f.fail("ip", "The ip is not in the block.")
	}
	if f.failed() {
		return f.invalid()
	}
	var a *address
	if f.has("ip") {
		a = c.register(c.now, b, ip.String())
	} else if a = c.fresh(c.now, b); a == nil {
		f.fail("ip", "The block has no free addresses.")
		return f.invalid()
	}
	c.back(a)
	return made(c.addressJSON(a))
}

func (c *call) patchAddress() answer {
	a := find(c, c.Addresses)
	if a == nil {
		return c.lost("Ip")
	}
	f := c.form()
	reserved, comment := f.bool("is_reserved", a.Reserved), f.text("comment", a.Comment, 255)
	if f.failed() {
		return f.invalid()
	}
	a.Reserved, a.Comment = reserved, comment
	if a.idle() {
		c.back(a)
	}
	return ok(c.addressJSON(a))
}

// deleteAddress forgets an address: one of a set is gone then, one of a range can be handed out again. An address in use is refused (guess).
func (c *call) deleteAddress() answer {
	a := find(c, c.Addresses)
	switch {
	case a == nil:
		return c.lost("Ip")
	case a.ServerID != 0:
		return conflict("The IP address is in use.")
	}
	b := c.Blocks[a.BlockID]
	delete(b.Known, a.IP)
	delete(c.Addresses, a.ID)
	b.Next = 0
	return noContent()
}

func (c *call) blockJSON(b *block) obj {
	o := b.json()
	o["compute_resources"] = refs(b.Nodes, c.Nodes, func(n *node) string { return n.Name })
	return o
}

// json has the members that a block of its kind has.
func (b *block) json() obj {
	o := obj{
		"id": b.ID, "name": b.Name, "type": "IPv4", "list_type": "range", "gateway": b.Gateway, "ns_1": b.NS1, "ns_2": b.NS2,
		"reverse_dns": obj{"zone": b.Zone, "enabled": b.ReverseDNS}, "total_ips_count": nil,
	}
	if b.Set {
		o["list_type"] = "set"
	}
	switch {
	case b.V6:
		o["type"], o["range"], o["subnet"] = "IPv6", b.Range.String(), b.Subnet
	case b.Set:
		o["netmask"], o["total_ips_count"] = b.Netmask, len(b.Known)
	default:
		o["netmask"], o["from"], o["to"], o["total_ips_count"] = b.Netmask, b.From.String(), b.To.String(), fmt.Sprintf("%s - %s", b.From, b.To)
	}
	return o
}

func (c *call) addressJSON(a *address) obj {
	b := c.Blocks[a.BlockID]
	o := obj{
		"id": a.ID, "ip": a.IP, "ip_block": b.json(), "server": nil, "user": nil, "issued_for": nil, "is_primary": a.Primary, "is_reserved": a.Reserved,
		"is_reverse_dns_enabled": b.ReverseDNS, "comment": nullable(a.Comment),
	}
	if s := c.Servers[a.ServerID]; s != nil {
		o["server"], o["issued_for"] = ref(s.ID, s.Name), "vm"
		if u := c.Users[s.UserID]; u != nil {
			o["user"] = obj{"id": u.ID, "email": u.Email}
		}
	}
	return o
}
