package virtfusiontest

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// state is everything the panel knows. It is plain data: what time does to it is done by settle.
type state struct {
	Token          string                `json:"token"`
	Last           map[string]int64      `json:"last"` // last id of each table
	Users          map[int64]*user       `json:"users"`
	Keys           map[int64]*sshKey     `json:"keys"`
	Packages       map[int64]*plan       `json:"packages"`
	TemplateGroups []*templateGroup      `json:"templateGroups"`
	Groups         map[int64]*group      `json:"groups"`
	Hypervisors    map[int64]*hypervisor `json:"hypervisors"`
	Blocks         map[int64]*block      `json:"blocks"`
	Servers        map[int64]*server     `json:"servers"` // the deleted ones too
	Jobs           map[int64]*job        `json:"jobs"`
	Open           []int64               `json:"open"` // jobs that are not done
	Backups        map[int64]*backup     `json:"backups"`
	Fails          []plannedFailure      `json:"fails"`
	Mails          []Mail                `json:"mails"`
	Forbidden      map[string]bool       `json:"forbidden"` // operations that the token may not use
	Unhealthy      bool                  `json:"unhealthy"`
	Net            netState              `json:"net"`
	Managed        manageState           `json:"managed"`

	happened []happening // what no webhook was told yet
}

// plannedFailure is what the next job of a kind will fail with.
type plannedFailure struct {
	Task   Task   `json:"task"`
	Reason string `json:"reason"`
}

// Mail is one mail that the panel would have sent.
type Mail struct {
	Time    time.Time `json:"time"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
}

// clock is the present time the way the panel stores times: without a zone and without a monotonic reading, so that they are the same after a snapshot.
func clock() time.Time { return time.Now().Round(0).UTC() }

func newState(now time.Time, token string) *state {
	st := &state{
		Token: token,
		// Tables start at different numbers, so that an id used in the wrong place finds nothing.
		Last: map[string]int64{
			"user": 30, "key": 70, "package": 0, "template": 20, "template group": 0, "group": 60, "hypervisor": 10, "network": 40, "block": 200,
			"address": 3000, "server": 100, "disk": 600, "interface": 800, "job": 1000, "deferred": 50, "backup": 400,
			"ruleset": 300, "dns service": 350, "traffic block": 500, "whitelist": 550, "rule": 1500, "vlan": 650, "mac": 700, "block group": 750,
			"iso": 850, "asset": 880, "credit": 900, "user pack": 950,
		},
		Users: map[int64]*user{}, Keys: map[int64]*sshKey{}, Packages: map[int64]*plan{}, Groups: map[int64]*group{}, Hypervisors: map[int64]*hypervisor{},
		Blocks: map[int64]*block{}, Servers: map[int64]*server{}, Jobs: map[int64]*job{}, Backups: map[int64]*backup{}, Forbidden: map[string]bool{},
	}
	st.Users[1] = &user{ID: 1, Admin: true, Name: "Panel Administrator", Email: "admin@virtfusion.test", Enabled: true, Created: now, Updated: now}
	return st
}

// next issues the next id of a table.
func (st *state) next(table string) int64 {
	st.Last[table]++
	return st.Last[table]
}

// sorted returns the records of a table in the order of their ids.
func sorted[T any](table map[int64]*T) []*T {
	list := make([]*T, 0, len(table))
	for _, id := range slices.Sorted(maps.Keys(table)) {
		list = append(list, table[id])
	}
	return list
}

// block is a range of addresses that a hypervisor group hands out, IPv4 one by one and IPv6 as /64.
type block struct {
	ID      int64            `json:"id"`
	Name    string           `json:"name"`
	GroupID int64            `json:"groupId"`
	Prefix  netip.Prefix     `json:"prefix"`
	Used    map[string]int64 `json:"used"` // address or subnet: server id
}

// blockOf returns the block of a group for one family, nil when it has none.
func (st *state) blockOf(groupID int64, v6 bool) *block {
	for _, b := range sorted(st.Blocks) {
		if b.GroupID == groupID && b.Prefix.Addr().Is6() == v6 {
			return b
		}
	}
	return nil
}

// gateway is the first address of the block.
func (b *block) gateway() netip.Addr { return b.Prefix.Masked().Addr().Next() }

// size is how many IPv4 addresses can be handed out: all but network, gateway and broadcast.
func (b *block) size() int { return max(1<<(32-b.Prefix.Bits())-3, 0) }

// free is how many IPv4 addresses are left; a missing block has none.
func (b *block) free() int {
	if b == nil {
		return 0
	}
	return b.size() - len(b.Used)
}

// take hands out the lowest free IPv4 address. The caller has checked that there is one.
func (b *block) take(serverID int64) netip.Addr {
	a := b.gateway().Next()
	for b.Used[a.String()] != 0 {
		a = a.Next()
	}
	b.Used[a.String()] = serverID
	return a
}

// takeSubnet hands out the lowest free /64.
func (b *block) takeSubnet(serverID int64) (netip.Addr, bool) {
	base := b.Prefix.Masked().Addr().As16()
	first := binary.BigEndian.Uint64(base[:8])
	for n := range uint64(1) << min(max(64-b.Prefix.Bits(), 0), 16) {
		if n == 0 { // the gateway's
			continue
		}
		a := base
		binary.BigEndian.PutUint64(a[:8], first+n)
		if subnet := netip.AddrFrom16(a); b.Used[subnet.String()] == 0 {
			b.Used[subnet.String()] = serverID
			return subnet, true
		}
	}
	return netip.Addr{}, false
}

// release gives back what a server held.
func (st *state) release(serverID int64) {
	for _, b := range st.Blocks {
		maps.DeleteFunc(b.Used, func(_ string, holder int64) bool { return holder == serverID })
	}
}

// mail records a mail to a user.
func (st *state) mail(now time.Time, userID int64, subject string) {
	if u := st.Users[userID]; u != nil {
		st.Mails = append(st.Mails, Mail{Time: now, To: u.Email, Subject: subject})
	}
}

// newUUID makes a random UUID.
func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// newPassword makes a random password of the panel's length.
func newPassword() string { return rand.Text()[:20] }
