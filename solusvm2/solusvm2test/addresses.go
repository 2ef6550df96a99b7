package solusvm2test

import (
	"fmt"
	"net/netip"
	"slices"
)

func serverAddressOperations() []operation {
	return []operation{
		{"addServerIPs", "POST /servers/{id}/ips", everyone, (*call).addServerIPs},
		{"removeServerIPs", "DELETE /servers/{id}/ips", everyone, (*call).removeServerIPs},
	}
}

// addServerIPs queues a change that ends later. An empty body asks for one address, as was seen. Nobody has seen the answer.
func (c *call) addServerIPs() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	f := c.form()
	count, ip := f.int("count", 1, 1, 1000), f.addr("ip", netip.Addr{})
	v6 := f.word("type", "IPv4", "IPv4", "IPv6") == "IPv6"
	delayed := f.bool("delayed", false)
	if ip.IsValid() && count > 1 {
		f.fail("count", "The count must be 1 when ip is present.")
	}
	if s.Plan.NoExtraIPs {
		f.fail("count", "The plan has no additional IP addresses.")
	}
	if c.exceeds(func(g *limitGroup) int64 { return g.AdditionalIPs }, c.extrasOf(s.UserID)+count) {
		f.fail("count", "The limit of additional IP addresses is reached.")
	}
	if f.failed() {
		return f.invalid()
	}
	w := work{Delayed: delayed}
	if ip.IsValid() {
		w.Add = c.hold(s, ip)
	} else if c.room(s.NodeID, v6, count) {
		for range count {
			w.Add = append(w.Add, c.take(c.now, s.NodeID, s.ID, v6).ID)
		}
	}
	if len(w.Add) == 0 {
		f.fail("ip", "The IP address has already been reserved")
		if !ip.IsValid() {
			f.errors = map[string][]string{"count": {"There are not enough free IP addresses."}}
		}
		return f.invalid()
	}
	c.start(s, TaskNetwork, c.panel.timing.Network, w)
	c.log(c.now, c.user.Email, "additional_ip_create_requested", obj{"id": s.ID, "count": len(w.Add)})
	return ok(obj{})
}

// extrasOf counts the addresses of a user that are not the first of a server.
func (c *call) extrasOf(userID int64) (n int64) {
	for _, a := range c.Addresses {
		if s := c.Servers[a.ServerID]; s != nil && s.UserID == userID && !a.Primary {
			n++
		}
	}
	return n
}

// hold takes one particular address for a server, nil when that is impossible.
func (c *call) hold(s *server, ip netip.Addr) []int64 {
	a, b := c.named(s.NodeID, ip)
	switch {
	case b == nil || a != nil && !a.idle():
		return nil
	case a == nil:
		a = c.register(c.now, b, ip.String())
	}
	a.ServerID = s.ID
	return []int64{a.ID}
}

// removeServerIPs reads the ids from its body. Primary addresses stay (guess).
func (c *call) removeServerIPs() answer {
	s, a := c.findIdle()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("ids")
	ids, delayed := refIDs(f, "ids", nil, c.Addresses), f.bool("delayed", false)
	for i, id := range ids {
		name := fmt.Sprintf("ids.%d", i)
		switch {
		case f.errors[name] != nil:
		case !slices.Contains(s.Addresses, id):
			f.fail(name, "The selected %s is invalid.", name)
		case c.Addresses[id].Primary:
			f.fail(name, "The primary IP address cannot be removed.")
		}
	}
	if f.failed() {
		return f.invalid()
	}
	c.start(s, TaskNetwork, c.panel.timing.Network, work{Remove: ids, Delayed: delayed})
	c.log(c.now, c.user.Email, "additional_ip_delete_requested", obj{"id": s.ID, "count": len(ids)})
	return noContent()
}

// finishNetwork ends a change of addresses.
func (st *state) finishNetwork(t *task, s *server, well bool) {
	w, verb := t.Work, "create"
	if len(w.Remove) > 0 {
		verb = "delete"
	}
	detail := obj{"id": s.ID, "count": len(w.Add) + len(w.Remove)}
	if !well {
		for _, id := range w.Add {
			st.back(st.Addresses[id])
		}
		st.log(t.Finish, "", "additional_ip_"+verb+"_failed", detail)
		return
	}
	for _, id := range w.Add {
		s.give(st.Addresses[id])
	}
	for _, id := range w.Remove {
		s.Addresses = linked(s.Addresses, id, false)
		st.back(st.Addresses[id])
	}
	s.Waiting = s.Waiting || w.Delayed
	st.markPrimary(s)
	st.log(t.Finish, "", "additional_ip_"+verb+"d", detail)
	st.fire(t.Finish, EventAdditionalIP, subject{server: s})
}
