package virtfusiontest

import (
	"cmp"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// blockSettings is what the API can change about a block. A block of the catalogue has none until it is changed.
type blockSettings struct {
	Made      bool         `json:"made"` // through the API: it has only the addresses that were added
	Disabled  bool         `json:"disabled"`
	DHCP      int64        `json:"dhcp"`
	Profile   int64        `json:"profile"`
	RDNSType  int64        `json:"rdnsType"`
	ZoneID    int64        `json:"zoneId"`
	Route     string       `json:"route"`
	Gateway   string       `json:"gateway"`
	Netmask   string       `json:"netmask"`
	Resolver1 string       `json:"resolver1"`
	Resolver2 string       `json:"resolver2"`
	Subnet    string       `json:"subnet"` // of IPv6
	From      int64        `json:"from"`
	To        int64        `json:"to"`
	Generated int64        `json:"generated"`
	Blacklist []netip.Addr `json:"blacklist"`
	Pool      []netip.Addr `json:"pool"` // addresses that were added
	Created   time.Time    `json:"created"`
	Updated   time.Time    `json:"updated"`
}

// blockGroup is a group of blocks.
type blockGroup struct {
	ID     int64   `json:"id"`
	Name   string  `json:"name"`
	Blocks []int64 `json:"blocks"`
}

func ipBlockOperations() []operation {
	const one = "/connectivity/ipblocks/{blockId}"
	return []operation{
		{"listIPBlocks", "GET /connectivity/ipblocks", "", (*call).listIPBlocks},
		{"createIPBlock", "POST /connectivity/ipblocks", V71, (*call).createIPBlock},
		{"getIPBlock", "GET " + one, "", (*call).getIPBlock},
		{"updateIPBlock", "PUT " + one, V71, (*call).updateIPBlock},
		{"deleteIPBlock", "DELETE " + one, V71, (*call).deleteIPBlock},
		{"listIPBlockIPv4", "GET " + one + "/ipv4", V71, (*call).listIPBlockIPv4},
		{"addIPv4Range", "POST " + one + "/ipv4", "", (*call).addIPv4Range},
		{"listIPBlockIPv6", "GET " + one + "/ipv6", V71, (*call).listIPBlockIPv6},
		{"generateIPBlockIPv6", "POST " + one + "/ipv6/generate", V71, (*call).generateIPBlockIPv6},
		{"listIPBlockBlacklist", "GET " + one + "/blacklist", V71, (*call).listIPBlockBlacklist},
		{"addIPBlockBlacklist", "POST " + one + "/blacklist", V71, (*call).addIPBlockBlacklist},
		{"listIPBlockHypervisors", "GET " + one + "/hypervisors", V71, (*call).listIPBlockHypervisors},
		{"listIPBlockGroups", "GET /connectivity/ipblockgroups", V71, (*call).listIPBlockGroups},
		{"createIPBlockGroup", "POST /connectivity/ipblockgroups", V71, (*call).createIPBlockGroup},
		{"removeIPBlockGroupBlock", "DELETE /connectivity/ipblockgroups/{groupId}/blocks/{blockId}", V71, (*call).removeIPBlockGroupBlock},
	}
}

func (b *block) v6() bool { return b.Prefix.Addr().Is6() }

// settings returns what a block is set to.
func (st *state) settings(b *block) blockSettings {
	if s := st.Net.Blocks[b.ID]; s != nil {
		return *s
	}
	s := blockSettings{DHCP: 1, Gateway: b.gateway().String(), From: 48, To: 64}
	if g := st.Groups[b.GroupID]; g != nil {
		s.Created, s.Updated = g.Created, g.Created
	}
	if b.v6() {
		s.Subnet, s.From, s.Generated, s.Resolver1, s.Resolver2 = b.Prefix.Masked().Addr().String(), int64(b.Prefix.Bits()), 300, "2001:db8::53", "2001:db8::54"
	} else {
		s.Netmask, s.Resolver1, s.Resolver2 = net.IP(net.CIDRMask(b.Prefix.Bits(), 32)).String(), "192.0.2.53", "192.0.2.54"
	}
	return s
}

func (c *call) gatewayOf(blockID int64) string { return c.settings(c.Blocks[blockID]).Gateway }

// all walks the IPv4 addresses of a block that can be handed out: all but network, gateway and broadcast, and what was added.
func (b *block) all(s *blockSettings) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		if s == nil || !s.Made {
			for a, n := b.gateway().Next(), b.size(); n > 0; a, n = a.Next(), n-1 {
				if !yield(a) {
					return
				}
			}
		}
		if s != nil {
			for _, a := range s.Pool {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// usableBlocks are the enabled IPv4 blocks of a hypervisor, in the order in which it takes addresses from them: those of its group, those that are bound to it, and
// those of the groups of blocks that its networks are bound to.
func (c *call) usableBlocks(h *hypervisor) []*block {
	var usable []*block
	for _, b := range sorted(c.Blocks) {
		if !b.v6() && !c.settings(b).Disabled && c.mayUse(h, b) {
			usable = append(usable, b)
		}
	}
	place := func(b *block) int {
		if n := slices.Index(c.Net.Order[h.ID], b.ID); n >= 0 {
			return n
		}
		return len(c.Net.Order[h.ID]) // last
	}
	slices.SortStableFunc(usable, func(a, b *block) int { return cmp.Compare(place(a), place(b)) })
	return usable
}

func (c *call) mayUse(h *hypervisor, b *block) bool {
	if _, bound := c.Net.Bound[h.ID][b.ID]; bound || b.GroupID == h.GroupID {
		return true
	}
	for _, n := range c.networksOf(h) {
		if g := c.Net.BlockGroups[n.BlockGroupID]; g != nil && slices.Contains(g.Blocks, b.ID) {
			return true
		}
	}
	return false
}

// blockJSON shows both families whatever the block has.
func (c *call) blockJSON(b *block) obj {
	s := c.settings(b)
	v4 := obj{"gateway": nil, "netmask": nil, "resolvers": obj{"primary": nil, "secondary": nil}, "total": 0, "usedTotal": 0, "freeTotal": 0}
	v6 := obj{
		"gateway": nil, "resolvers": obj{"primary": nil, "secondary": nil}, "subnet": nil, "from": 48, "to": 64, "restricted": []any{}, "total": 0,
		"generatedTotal": 0, "usedTotal": 0, "freeTotal": 0, "freeGenerated": 0, "blacklistedTotal": 0,
	}
	of, kind := v4, 4
	if b.v6() {
		of, kind = v6, 6
	}
	of["gateway"], of["resolvers"] = textOrNull(s.Gateway), obj{"primary": textOrNull(s.Resolver1), "secondary": textOrNull(s.Resolver2)}
	used := int64(len(b.Used))
	if b.v6() {
		total := s.subnets()
		generated := max(s.Generated, used)
		v6["subnet"], v6["from"], v6["to"], v6["total"], v6["generatedTotal"] = textOrNull(s.Subnet), s.From, s.To, total, generated
		v6["usedTotal"], v6["freeTotal"], v6["freeGenerated"], v6["blacklistedTotal"] = used, total-used, generated-used, len(s.Blacklist)
	} else {
		total := int64(len(slices.Collect(b.all(c.Net.Blocks[b.ID]))))
		v4["netmask"], v4["total"], v4["usedTotal"], v4["freeTotal"] = textOrNull(s.Netmask), total, used, total-used
	}
	o := obj{
		"id": b.ID, "type": kind, "name": b.Name, "ipv4": v4, "ipv6": v6, "rdnsType": s.RDNSType, "rdnsZoneId": nil, "networkProfile": s.Profile,
		"routeBlock": textOrNull(s.Route), "dhcp": s.DHCP, "enabled": !s.Disabled, "created": offset(s.Created), "updated": offset(s.Updated),
	}
	if s.ZoneID != 0 {
		o["rdnsZoneId"] = s.ZoneID
	}
	return o
}

// subnets is how many subnets servers can get: all but the gateway's.
func (s *blockSettings) subnets() int64 {
	if s.Subnet == "" || s.To <= s.From {
		return 0
	}
	return 1<<min(s.To-s.From, 32) - 1
}

func (c *call) listIPBlocks() answer { return page(c, sorted(c.Blocks), true, c.blockJSON) }

// findBlock returns the block that the path names, or the refusal.
func (c *call) findBlock() (*block, answer) {
	b := c.Blocks[c.id("blockId")]
	if b == nil {
		return nil, missing("ip block")
	}
	return b, answer{}
}

func (c *call) getIPBlock() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	return ok(c.blockJSON(b))
}

// createIPBlock makes a block without addresses. It starts enabled only if it says so and is complete (guess).
func (c *call) createIPBlock() answer {
	f := c.form()
	f.require("name", "type")
	kind := f.int("type", 4, 4, 6)
	s := blockSettings{Made: true, Disabled: true, DHCP: 1, From: 48, To: 64, Created: c.now}
	name := c.readBlock(f, "", kind == 6, &s)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	b := &block{ID: c.next("block"), Name: name, Prefix: s.prefix(kind == 6), Used: map[string]int64{}}
	c.Blocks[b.ID] = b
	put(&c.Net.Blocks, b.ID, &s)
	return data(http.StatusCreated, c.blockJSON(b))
}

// updateIPBlock changes what is given. Generated subnets go when the source prefix changes.
func (c *call) updateIPBlock() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	f, s := c.form(), c.settings(b)
	subnet, from := s.Subnet, s.From
	name := c.readBlock(f, b.Name, b.v6(), &s)
	if f.has("type") && f.int("type", 4, 4, 6) == 6 != b.v6() {
		f.fail("The type cannot be changed") // guess
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if s.Subnet != subnet || s.From != from {
		s.Generated = 0
	}
	b.Name = name
	if s.Made {
		b.Prefix = s.prefix(b.v6())
	}
	put(&c.Net.Blocks, b.ID, &s)
	return ok(c.blockJSON(b))
}

// prefix is the network of a block that was made through the API, as far as it is set.
func (s *blockSettings) prefix(v6 bool) netip.Prefix {
	if v6 {
		if a, err := netip.ParseAddr(s.Subnet); err == nil {
			return netip.PrefixFrom(a, int(s.From)).Masked()
		}
		return netip.MustParsePrefix("::/0")
	}
	gateway, err := netip.ParseAddr(s.Gateway)
	mask, maskErr := netip.ParseAddr(s.Netmask)
	if err == nil && maskErr == nil {
		if ones, bits := net.IPMask(mask.AsSlice()).Size(); bits == 32 {
			return netip.PrefixFrom(gateway, ones).Masked()
		}
	}
	return netip.MustParsePrefix("0.0.0.0/0")
}

// readBlock reads what a request sets, and returns the name.
func (c *call) readBlock(f *form, name string, v6 bool, s *blockSettings) string {
	if name = f.text("name", name, 100); f.has("name") && len([]rune(name)) < 3 {
		f.fail("The name field must be at least 3 characters.")
	}
	s.DHCP, s.Profile = f.int("dhcp", s.DHCP, 0, 1), f.int("networkProfile", s.Profile, 0, 20)
	words := map[any]int64{"none": 0, "automatic": 1, "zone": 2}
	if n, isWord := words[f.in["rdnsType"]]; isWord {
		s.RDNSType = n
	} else {
		s.RDNSType = f.int("rdnsType", s.RDNSType, 0, 2)
	}
	if _, given := f.in["rdnsZoneId"]; given {
		s.ZoneID = f.count("rdnsZoneId", 0)
	}
	if s.RDNSType == 2 && s.ZoneID == 0 {
		f.fail("The rdns zone id field is required when rdns type is zone.")
	}
	f.nullable("routeBlock", &s.Route)
	if part := f.part("ipv4"); !v6 {
		part.addresses(s)
		part.nullable("netmask", &s.Netmask)
		f.errors = append(f.errors, part.errors...)
	}
	if part := f.part("ipv6"); v6 {
		part.addresses(s)
		part.nullable("subnet", &s.Subnet)
		s.From, s.To = part.int("from", s.From, 1, 128), part.int("to", s.To, 1, 128)
		f.errors = append(f.errors, part.errors...)
	}
	s.Disabled = !f.bool("enabled", !s.Disabled)
	if !s.Disabled && (!v6 && s.Netmask == "" || v6 && s.subnets() == 0) {
		f.fail("The block is not complete and cannot be enabled")
	}
	s.Updated = c.now
	return name
}

// part is a member that is an object, as a form of its own.
func (f *form) part(name string) *form {
	in, _ := f.in[name].(map[string]any)
	return &form{in: in}
}

// nullable reads a text that null clears.
func (f *form) nullable(name string, into *string) {
	if value, given := f.in[name]; given && value == nil {
		*into = ""
		return
	}
	*into = f.text(name, *into, 100)
}

// addresses reads gateway and resolvers.
func (f *form) addresses(s *blockSettings) {
	f.nullable("gateway", &s.Gateway)
	resolvers := f.part("resolvers")
	resolvers.nullable("primary", &s.Resolver1)
	resolvers.nullable("secondary", &s.Resolver2)
	f.errors = append(f.errors, resolvers.errors...)
}

// deleteIPBlock wants a confirmation, and a block of which nothing is assigned.
func (c *call) deleteIPBlock() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	if f := c.form(); !f.bool("confirm", false) {
		return invalid("The confirm field must be accepted.")
	}
	if len(b.Used) > 0 {
		return answer{status: http.StatusConflict, body: obj{"errors": []string{"The block has assigned addresses"}}}
	}
	delete(c.Blocks, b.ID)
	delete(c.Net.Blocks, b.ID)
	for _, bound := range c.Net.Bound {
		delete(bound, b.ID)
	}
	for _, g := range c.Net.BlockGroups {
		g.Blocks = slices.DeleteFunc(g.Blocks, func(id int64) bool { return id == b.ID })
	}
	return empty(http.StatusNoContent)
}

// listIPBlockIPv4 has rows without members, because nobody has seen any; filters and counts are real.
func (c *call) listIPBlockIPv4() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	var rows []string
	if !b.v6() {
		for addr := range b.all(c.Net.Blocks[b.ID]) {
			rows = append(rows, addr.String())
		}
	}
	return c.addressPage(b, rows, "address")
}

// listIPBlockIPv6 is listIPBlockIPv4 for the subnets that servers hold; those that were only generated are counted in the block.
func (c *call) listIPBlockIPv6() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	var rows []string
	if b.v6() {
		rows = slices.Sorted(func(yield func(string) bool) {
			for subnet := range b.Used {
				if !yield(subnet) {
					return
				}
			}
		})
	}
	return c.addressPage(b, rows, "subnet")
}

func (c *call) addressPage(b *block, rows []string, name string) answer {
	q := c.r.URL.Query()
	rows = slices.DeleteFunc(rows, func(row string) bool {
		holder := b.Used[row]
		return q.Has(name) && q.Get(name) != row || q.Has("assigned") && c.flag("assigned") != (holder != 0) || c.flag("reserved") ||
			q.Has("serverId") && q.Get("serverId") != text(holder)
	})
	return page(c, rows, true, func(string) obj { return obj{} })
}

// maxRange is how many addresses one request may add here.
const maxRange = 1 << 16

// addIPv4Range adds addresses that are not there yet. 7.1 also takes a prefix, and answers counts, in a shape that nobody has seen.
func (c *call) addIPv4Range() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	f := c.form()
	f.require("type")
	var added []netip.Addr
	switch kind := f.text("type", "", 8); {
	case kind == "range":
		added = f.between()
	case kind == "cidr" && c.panel.version >= V71:
		added = f.within()
	default:
		f.fail("The selected type is invalid.")
	}
	if b.v6() {
		f.fail("The block is not an IPv4 block")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	s := c.settings(b)
	known := map[netip.Addr]bool{}
	for addr := range b.all(c.Net.Blocks[b.ID]) {
		known[addr] = true
	}
	for _, addr := range added {
		if !known[addr] {
			s.Pool = append(s.Pool, addr)
		}
	}
	s.Updated = c.now
	put(&c.Net.Blocks, b.ID, &s)
	if c.panel.version < V71 {
		return empty(http.StatusNoContent)
	}
	return nothing(http.StatusOK)
}

// between reads a range.
func (f *form) between() []netip.Addr {
	f.require("start", "end")
	start, err := netip.ParseAddr(f.text("start", "", 15))
	end, endErr := netip.ParseAddr(f.text("end", "", 15))
	if err != nil || endErr != nil || !start.Is4() || !end.Is4() || end.Less(start) {
		f.fail("The range is invalid.")
		return nil
	}
	var all []netip.Addr
	for a := start; a.Compare(end) <= 0 && a.IsValid(); a = a.Next() {
		if len(all) == maxRange {
			f.fail("The range is too large.")
			return nil
		}
		all = append(all, a)
	}
	return all
}

// within reads a prefix.
func (f *form) within() []netip.Addr {
	f.require("address", "prefix")
	bits := f.int("prefix", 30, 16, 30)
	a, err := netip.ParseAddr(f.text("address", "", 15))
	if err != nil || !a.Is4() {
		f.fail("The address field must be a valid IPv4 address.")
	}
	hostsOnly := f.bool("hostsOnly", false)
	if len(f.errors) > 0 {
		return nil
	}
	prefix := netip.PrefixFrom(a, int(bits)).Masked()
	var all []netip.Addr
	for a := prefix.Addr(); prefix.Contains(a); a = a.Next() {
		all = append(all, a)
	}
	if hostsOnly {
		all = all[1 : len(all)-1]
	}
	return all
}

func (c *call) generateIPBlockIPv6() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	f, s := c.form(), c.settings(b)
	n := f.int("count", 300, 1, 1000)
	f.text("after", "", 45)
	if !b.v6() || s.subnets() == 0 {
		f.fail("The block has no IPv6 subnet")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	s.Generated, s.Updated = min(s.Generated+n, s.subnets()), c.now
	put(&c.Net.Blocks, b.ID, &s)
	return nothing(http.StatusOK)
}

func (c *call) listIPBlockBlacklist() answer {
	if b, a := c.findBlock(); b == nil {
		return a
	}
	return nothing(http.StatusOK)
}

// addIPBlockBlacklist takes any address inside of a subnet. A subnet is listed once (guess).
func (c *call) addIPBlockBlacklist() answer {
	b, a := c.findBlock()
	if b == nil {
		return a
	}
	f, s := c.form(), c.settings(b)
	f.require("subnet")
	addr, err := netip.ParseAddr(f.text("subnet", "", 45))
	if err != nil || !b.v6() || !b.Prefix.Contains(addr) {
		f.fail("The subnet is not in this block")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if subnet := netip.PrefixFrom(addr, int(s.To)).Masked().Addr(); !slices.Contains(s.Blacklist, subnet) {
		s.Blacklist = append(slices.Clone(s.Blacklist), subnet)
	}
	s.Updated = c.now
	put(&c.Net.Blocks, b.ID, &s)
	return nothing(http.StatusCreated)
}

func (c *call) listIPBlockHypervisors() answer {
	if b, a := c.findBlock(); b == nil {
		return a
	}
	return nothing(http.StatusOK)
}

func (c *call) listIPBlockGroups() answer {
	return page(c, sorted(c.Net.BlockGroups), true, (*blockGroup).json)
}

// json has only the members that are likely.
func (g *blockGroup) json() obj { return obj{"id": g.ID, "name": g.Name} }

func (c *call) createIPBlockGroup() answer {
	f := c.form()
	f.require("name")
	g := &blockGroup{Name: f.text("name", "", 100), Blocks: f.ints("blockIds")}
	if f.has("name") && len([]rune(g.Name)) < 3 {
		f.fail("The name field must be at least 3 characters.")
	}
	for _, id := range g.Blocks {
		if c.Blocks[id] == nil {
			f.fail("Invalid IP block")
		}
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	g.ID = c.next("block group")
	put(&c.Net.BlockGroups, g.ID, g)
	return data(http.StatusCreated, g.json())
}

func (c *call) removeIPBlockGroupBlock() answer {
	g := c.Net.BlockGroups[c.id("groupId")]
	if g == nil {
		return missing("ip block group")
	}
	if !slices.Contains(g.Blocks, c.id("blockId")) {
		return missing("ip block")
	}
	g.Blocks = slices.DeleteFunc(g.Blocks, func(id int64) bool { return id == c.id("blockId") })
	return empty(http.StatusNoContent)
}
