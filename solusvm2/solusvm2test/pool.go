package solusvm2test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// at is the text of the address with a number, "" beyond the end. The gateway is not handed out.
func (b *block) at(n uint64) string {
	switch {
	case b.Set:
		return ""
	case b.V6:
		first := b.Range.Masked().Addr().As16()
		low := binary.BigEndian.Uint64(first[8:])
		if bits := b.Subnet - b.Range.Bits(); bits < 64 && n >= 1<<bits {
			return ""
		}
		binary.BigEndian.PutUint64(first[8:], low+n<<(128-b.Subnet))
		return netip.PrefixFrom(netip.AddrFrom16(first), b.Subnet).String()
	}
	first, last := b.From.As4(), b.To.As4()
	number := uint64(binary.BigEndian.Uint32(first[:])) + n
	if number > uint64(binary.BigEndian.Uint32(last[:])) {
		return ""
	}
	binary.BigEndian.PutUint32(first[:], uint32(number)) // #nosec G115 -- not above the last one
	return netip.AddrFrom4(first).String()
}

// contains reports whether an IPv4 address belongs to a range.
func (b *block) contains(a netip.Addr) bool {
	return !b.V6 && !b.Set && a.Is4() && b.From.Compare(a) <= 0 && a.Compare(b.To) <= 0
}

// usable reports whether an address of a range may be handed out: it is unknown, and the gateway is somewhere else.
func (b *block) usable(ip string) bool {
	if b.V6 {
		gateway, err := netip.ParseAddr(b.Gateway)
		return b.Known[ip] == 0 && (err != nil || !netip.MustParsePrefix(ip).Contains(gateway))
	}
	return b.Known[ip] == 0 && ip != b.Gateway
}

// idle reports whether a registered address may be handed out.
func (a *address) idle() bool { return a != nil && a.ServerID == 0 && !a.Reserved }

// free finds an address that can be handed out: the first that came back, else a fresh one. nil when there is none.
func (st *state) free(now time.Time, b *block) *address {
	for len(b.Back) > 0 {
		a := st.Addresses[b.Back[0]]
		b.Back = b.Back[1:]
		if a.idle() {
			return a
		}
	}
	return st.fresh(now, b)
}

// fresh registers the first address of a range that was never used, nil when there is none.
func (st *state) fresh(now time.Time, b *block) *address {
	for ip := b.at(b.Next); ip != ""; ip = b.at(b.Next) {
		b.Next++
		if b.usable(ip) {
			return st.register(now, b, ip)
		}
	}
	return nil
}

// back makes a registered address one that can be handed out.
func (st *state) back(a *address) {
	b := st.Blocks[a.BlockID]
	a.ServerID, a.Primary = 0, false
	if !slices.Contains(b.Back, a.ID) {
		b.Back = append(b.Back, a.ID)
	}
}

// take hands out an address of the blocks of a compute resource. nil when there is none.
func (st *state) take(now time.Time, nodeID, serverID int64, v6 bool) *address {
	for _, b := range sorted(st.Blocks) {
		if b.V6 != v6 || !slices.Contains(b.Nodes, nodeID) {
			continue
		}
		if a := st.free(now, b); a != nil {
			a.ServerID = serverID
			return a
		}
	}
	return nil
}

// room reports whether a compute resource can hand out that many addresses of a kind.
func (st *state) room(nodeID int64, v6 bool, count int64) bool {
	for _, b := range st.Blocks {
		if b.V6 != v6 || !slices.Contains(b.Nodes, nodeID) {
			continue
		}
		for _, id := range b.Back {
			if st.Addresses[id].idle() {
				count--
			}
		}
		for n := b.Next; count > 0 && b.at(n) != ""; n++ {
			if b.usable(b.at(n)) {
				count--
			}
		}
	}
	return count <= 0
}

// named finds one particular IPv4 address of a compute resource: the record when it is registered, and the block. Both are nil when it has no such address.
func (st *state) named(nodeID int64, ip netip.Addr) (*address, *block) {
	for _, b := range sorted(st.Blocks) {
		if !slices.Contains(b.Nodes, nodeID) {
			continue
		}
		if id := b.Known[ip.String()]; id != 0 {
			return st.Addresses[id], b
		}
		if b.contains(ip) && ip.String() != b.Gateway {
			return nil, b
		}
	}
	return nil, nil
}
