package virtfusiontest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
)

// packOffer is a resource pack that users can be given.
type packOffer struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Servers   int64  `json:"servers"`
	MemoryMB  int64  `json:"memoryMB"`
	DiskGB    int64  `json:"diskGB"`
	Cores     int64  `json:"cores"`
	TrafficGB int64  `json:"trafficGB"`
}

// userPack is the pack of one user. Its id is another than that of the offer.
type userPack struct {
	ID      int64   `json:"id"`
	OfferID int64   `json:"offerId"`
	UserID  int64   `json:"userId"`
	Enabled bool    `json:"enabled"`
	Servers []int64 `json:"servers"` // that were made from it
}

func packOperations() []operation {
	const ofUser = "/byUserExtRelationId/{extRelationId}"
	return []operation{
		{"addResourcePack", "POST /selfService/resourcePack" + ofUser, "", (*call).addResourcePack},
		{"setHourlyResourcePack", "PUT /selfService/hourlyResourcePack" + ofUser, "", (*call).setHourlyResourcePack},
		{"getResourcePack", "GET /selfService/resourcePack/{packId}", "", (*call).getResourcePack},
		{"modifyResourcePack", "PUT /selfService/resourcePack/{packId}", "", (*call).modifyResourcePack},
		{"deleteResourcePack", "DELETE /selfService/resourcePack/{packId}", "", (*call).deleteResourcePack},
		{"deleteResourcePackServers", "DELETE /selfService/resourcePackServers/{packId}", "", (*call).deleteResourcePackServers},
		{"suspendResourcePackServers", "POST /selfService/resourcePackServers/{packId}/suspend", "", func(c *call) answer { return c.suspendPack(true) }},
		{"unsuspendResourcePackServers", "POST /selfService/resourcePackServers/{packId}/unsuspend", "", func(c *call) answer { return c.suspendPack(false) }},
	}
}

func (c *call) addResourcePack() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	f := c.form()
	f.require("packId")
	offer := c.Managed.SelfService.Offers[f.count("packId", 0)]
	enabled := f.bool("enabled", true)
	if f.has("packId") && offer == nil {
		f.fail("The selected pack id is invalid.")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	p := &userPack{ID: c.next("user pack"), OfferID: offer.ID, UserID: u.ID, Enabled: enabled}
	put(&c.Managed.SelfService.Packs, p.ID, p)
	return data(http.StatusCreated, obj{"id": p.ID})
}

func (c *call) setHourlyResourcePack() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	f := c.form()
	f.require("packId")
	id := f.count("packId", 0)
	if f.has("packId") && c.Managed.SelfService.Offers[id] == nil {
		f.fail("The selected pack id is invalid.")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	u.HourlyPack, u.Updated = id, c.now
	return empty(http.StatusNoContent)
}

// findPack returns the pack that the path names and its servers that are left, or the refusal.
func (c *call) findPack() (*userPack, []*server, answer) {
	p := c.Managed.SelfService.Packs[c.id("packId")]
	if p == nil {
		return nil, nil, missing("resource pack")
	}
	servers := slices.DeleteFunc(c.live(), func(s *server) bool { return !slices.Contains(p.Servers, s.ID) })
	return p, servers, answer{}
}

// getResourcePack adds the servers when it is asked to; their shape is a guess.
func (c *call) getResourcePack() answer {
	p, servers, a := c.findPack()
	if p == nil {
		return a
	}
	o := c.packJSON(p, servers)
	if c.flag("withServers") {
		list := []obj{}
		for _, s := range servers {
			list = append(list, obj{"id": s.ID, "name": s.Name})
		}
		o["servers"] = list
	}
	return ok(o)
}

func (c *call) packJSON(p *userPack, servers []*server) obj {
	offer := c.Managed.SelfService.Offers[p.OfferID]
	totals := map[string]int64{"servers": offer.Servers, "memory": offer.MemoryMB, "storage": offer.DiskGB, "cpu": offer.Cores, "traffic": offer.TrafficGB}
	used := map[string]int64{"servers": int64(len(servers))}
	for _, s := range servers {
		used["memory"] += s.MemoryMB
		used["storage"] += s.Disks[0].CapacityGB
		used["cpu"] += s.Cores
		used["traffic"] += s.TrafficGB
	}
	limits, amounts, usage := obj{}, obj{}, obj{}
	for name, total := range totals {
		limits["total_"+name], amounts[name] = total, used[name]
		usage[name] = obj{"t": total, "u": used[name], "f": total - used[name], "p": math.Round(float64(used[name]) * 100 / float64(max(total, 1))), "l": total > 0}
		if name != "servers" {
			limits["max_"+name] = total
		}
	}
	return obj{"type": "pack", "id": p.ID, "pid": p.OfferID, "label": nil, "name": offer.Name, "limits": limits, "used": amounts, "usage": usage}
}

func (c *call) modifyResourcePack() answer {
	p, _, a := c.findPack()
	if p == nil {
		return a
	}
	f := c.form()
	f.require("enabled")
	enabled := f.bool("enabled", p.Enabled)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	p.Enabled = enabled
	return empty(http.StatusNoContent)
}

// deleteResourcePack refuses while servers are left, or disables the pack then when it is asked to. Status and wording are guesses.
func (c *call) deleteResourcePack() answer {
	p, servers, a := c.findPack()
	switch {
	case p == nil:
		return a
	case len(servers) == 0:
		delete(c.Managed.SelfService.Packs, p.ID)
	case c.flag("disable"):
		p.Enabled = false
	default:
		return answer{status: http.StatusConflict, body: obj{"errors": []string{"The resource pack has servers"}}}
	}
	return empty(http.StatusNoContent)
}

// deleteResourcePackServers schedules all deletions, or none when one server must not be disturbed (guess).
func (c *call) deleteResourcePackServers() answer {
	p, servers, a := c.findPack()
	if p == nil {
		return a
	}
	minutes := int64(30)
	if text := c.r.URL.Query().Get("delay"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > 43800 {
			return invalid("The delay field must be between 0 and 43800.") // status and wording: guess
		}
		minutes = n
	}
	if slices.ContainsFunc(servers, func(s *server) bool { return s.DoNotDisturb }) {
		return refuse(http.StatusLocked, "do not disturb is active")
	}
	for _, s := range servers {
		c.scheduleDeletion(s, minutes)
	}
	return empty(http.StatusNoContent)
}

// suspendPack changes all servers, or none when one is busy (guess).
func (c *call) suspendPack(suspended bool) answer {
	p, servers, a := c.findPack()
	if p == nil {
		return a
	}
	if slices.ContainsFunc(servers, func(s *server) bool { return s.Suspended != suspended && c.busy(s) }) {
		return locked()
	}
	for _, s := range servers {
		if s.Suspended != suspended {
			c.startSuspension(s, suspended)
		}
	}
	return empty(http.StatusNoContent)
}

// AddToPack puts a server into the pack of a user, as if he had made it from there in the panel.
func (p *Panel) AddToPack(packID, serverID int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	pack, s := c.Managed.SelfService.Packs[packID], c.Servers[serverID]
	if pack == nil || s == nil {
		return fmt.Errorf("virtfusiontest: there is no pack %d or no server %d", packID, serverID)
	}
	if !slices.Contains(pack.Servers, serverID) {
		pack.Servers = append(pack.Servers, serverID)
	}
	return nil
}

// PackEnabled reports whether the pack of a user is enabled. ok is false when there is none.
func (p *Panel) PackEnabled(packID int64) (enabled, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pack := p.state.Managed.SelfService.Packs[packID]
	return pack != nil && pack.Enabled, pack != nil
}
