package virtfusiontest

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// hvNetwork is a network of a hypervisor.
type hvNetwork struct {
	ID           int64     `json:"id"`
	HypervisorID int64     `json:"hypervisorId"`
	Name         string    `json:"name"`
	Bridge       string    `json:"bridge"`
	Type         string    `json:"type"`
	MTU          int64     `json:"mtu"` // 0 is the default
	BlockGroupID int64     `json:"blockGroupId"`
	Created      time.Time `json:"created"`
	Updated      time.Time `json:"updated"`
}

func hypervisorNetworkOperations() []operation {
	const of = "/compute/hypervisors/{hypervisorId}"
	return []operation{
		{"listHypervisorNetworks", "GET " + of + "/networks", V71, (*call).listHypervisorNetworks},
		{"createHypervisorNetwork", "POST " + of + "/networks", V71, (*call).createHypervisorNetwork},
		{"getHypervisorNetwork", "GET " + of + "/networks/{networkId}", V71, (*call).getHypervisorNetwork},
		{"updateHypervisorNetwork", "PUT " + of + "/networks/{networkId}", V71, (*call).updateHypervisorNetwork},
		{"deleteHypervisorNetwork", "DELETE " + of + "/networks/{networkId}", V71, (*call).deleteHypervisorNetwork},
		{"listHypervisorIPBlocks", "GET " + of + "/ipblocks", V71, (*call).listHypervisorIPBlocks},
		{"bindHypervisorIPBlock", "POST " + of + "/ipblocks", V71, (*call).bindHypervisorIPBlock},
		{"orderHypervisorIPBlocks", "PUT " + of + "/ipblocks/order", V71, (*call).orderHypervisorIPBlocks},
		{"rebindHypervisorIPBlock", "PUT " + of + "/ipblocks/{blockId}", V71, (*call).rebindHypervisorIPBlock},
		{"unbindHypervisorIPBlock", "DELETE " + of + "/ipblocks/{blockId}", V71, (*call).unbindHypervisorIPBlock},
	}
}

// networksOf are the networks of a hypervisor, the primary one first.
func (st *state) networksOf(h *hypervisor) []hvNetwork {
	primary := hvNetwork{ID: h.NetworkID, HypervisorID: h.ID, Name: "Primary", Bridge: "br0", Type: "simpleBridge", Created: h.Created, Updated: h.Created}
	if changed := st.Net.Networks[h.NetworkID]; changed != nil {
		primary = *changed
	}
	all := []hvNetwork{primary}
	for _, n := range sorted(st.Net.Networks) {
		if n.HypervisorID == h.ID && n.ID != h.NetworkID {
			all = append(all, *n)
		}
	}
	return all
}

// networkOf returns one network of a hypervisor, nil when it has no such.
func (st *state) networkOf(h *hypervisor, id int64) *hvNetwork {
	for _, n := range st.networksOf(h) {
		if n.ID == id {
			return &n
		}
	}
	return nil
}

// networksJSON are the networks as a hypervisor shows them.
func (st *state) networksJSON(h *hypervisor) []obj {
	rows := []obj{}
	for _, n := range st.networksOf(h) {
		primary := n.ID == h.NetworkID
		rows = append(rows, obj{
			"id": n.ID, "type": n.Type, "bridge": n.Bridge, "primary": primary, "default": primary, "created": offset(n.Created), "updated": offset(n.Updated),
		})
	}
	return rows
}

// json has only the members that are likely.
func (n *hvNetwork) json(h *hypervisor) obj {
	o := obj{"id": n.ID, "name": n.Name, "bridge": n.Bridge, "type": n.Type, "mtu": nil, "primary": n.ID == h.NetworkID, "default": n.ID == h.NetworkID}
	if n.MTU != 0 {
		o["mtu"] = n.MTU
	}
	return o
}

// findHypervisor returns the hypervisor that the path names, or the refusal.
func (c *call) findHypervisor() (*hypervisor, answer) {
	h := c.Hypervisors[c.id("hypervisorId")]
	if h == nil {
		return nil, missing("hypervisor")
	}
	return h, answer{}
}

// findNetwork returns the hypervisor and the network that the path names, or the refusal.
func (c *call) findNetwork() (*hypervisor, *hvNetwork, answer) {
	h, a := c.findHypervisor()
	if h == nil {
		return nil, nil, a
	}
	n := c.networkOf(h, c.id("networkId"))
	if n == nil {
		return nil, nil, missing("hypervisor network")
	}
	return h, n, answer{}
}

func (c *call) listHypervisorNetworks() answer {
	h, a := c.findHypervisor()
	if h == nil {
		return a
	}
	rows := []obj{}
	for _, n := range c.networksOf(h) {
		rows = append(rows, n.json(h))
	}
	return ok(rows)
}

var bridgePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,20}$`)

var networkTypes = []string{"simpleBridge", "lvBridgeOVS", "lvNetwork", "lvNetworkBridge", "lvNatv1", "macVTap"}

// readNetwork reads what a request sets.
func (c *call) readNetwork(f *form, n *hvNetwork) {
	if n.Name = f.text("name", n.Name, 30); f.has("name") && len([]rune(n.Name)) < 3 {
		f.fail("The name field must be at least 3 characters.")
	}
	if n.Bridge = f.text("bridge", n.Bridge, 20); f.has("bridge") && !bridgePattern.MatchString(n.Bridge) {
		f.fail("The bridge field format is invalid.")
	}
	if n.Type = f.text("type", n.Type, 20); f.has("type") && !slices.Contains(networkTypes, n.Type) {
		f.fail("The selected type is invalid.")
	}
	if _, given := f.in["mtu"]; given {
		n.MTU = f.int("mtu", 0, 68, 65535)
	}
	if _, given := f.in["ipBlockGroupId"]; given {
		if n.BlockGroupID = f.count("ipBlockGroupId", 0); n.BlockGroupID != 0 && c.Net.BlockGroups[n.BlockGroupID] == nil {
			f.fail("Invalid IP block group")
		}
	}
	n.Updated = c.now
}

// bridgeTaken reports whether another network of the hypervisor has the bridge.
func (c *call) bridgeTaken(h *hypervisor, n *hvNetwork) bool {
	return slices.ContainsFunc(c.networksOf(h), func(other hvNetwork) bool { return other.Bridge == n.Bridge && other.ID != n.ID })
}

func conflict(text string) answer {
	return answer{status: http.StatusConflict, body: obj{"errors": []string{text}}}
}

func (c *call) createHypervisorNetwork() answer {
	h, a := c.findHypervisor()
	if h == nil {
		return a
	}
	f := c.form()
	f.require("name", "bridge", "type")
	n := &hvNetwork{HypervisorID: h.ID, Created: c.now}
	c.readNetwork(f, n)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if c.bridgeTaken(h, n) {
		return conflict("The bridge is in use on this hypervisor")
	}
	n.ID = c.next("network")
	put(&c.Net.Networks, n.ID, n)
	return data(http.StatusCreated, n.json(h))
}

func (c *call) getHypervisorNetwork() answer {
	h, n, a := c.findNetwork()
	if n == nil {
		return a
	}
	return ok(n.json(h))
}

func (c *call) updateHypervisorNetwork() answer {
	h, n, a := c.findNetwork()
	if n == nil {
		return a
	}
	f := c.form()
	if n.ID == h.NetworkID && f.has("name") {
		f.fail("The primary network cannot be renamed")
	}
	c.readNetwork(f, n)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if c.bridgeTaken(h, n) {
		return conflict("The bridge is in use on this hypervisor")
	}
	put(&c.Net.Networks, n.ID, n)
	return ok(n.json(h))
}

// deleteHypervisorNetwork refuses the primary network, and one that a block is bound to (its status is a guess).
func (c *call) deleteHypervisorNetwork() answer {
	h, n, a := c.findNetwork()
	if n == nil {
		return a
	}
	if n.ID == h.NetworkID {
		return conflict("The primary network cannot be deleted")
	}
	for _, network := range c.Net.Bound[h.ID] {
		if network == n.ID {
			return conflict("The network is in use")
		}
	}
	delete(c.Net.Networks, n.ID)
	return empty(http.StatusNoContent)
}

func (c *call) listHypervisorIPBlocks() answer {
	if h, a := c.findHypervisor(); h == nil {
		return a
	}
	return nothing(http.StatusOK)
}

// bindHypervisorIPBlock lets a hypervisor use a block of the API. Those of the catalogue belong to the hypervisors of their group without being bound.
func (c *call) bindHypervisorIPBlock() answer {
	h, a := c.findHypervisor()
	if h == nil {
		return a
	}
	f := c.form()
	f.require("blockId")
	blockID, networkID := f.count("blockId", 0), cmp.Or(f.count("networkId", 0), h.NetworkID)
	if f.has("blockId") && c.Blocks[blockID] == nil {
		f.fail("Invalid IP block")
	}
	if _, bound := c.Net.Bound[h.ID][blockID]; bound {
		f.fail("The block is bound already") // guess
	}
	if c.networkOf(h, networkID) == nil {
		f.fail("Invalid hypervisor network")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	bound := c.Net.Bound[h.ID]
	put(&bound, blockID, networkID)
	put(&c.Net.Bound, h.ID, bound)
	return nothing(http.StatusCreated)
}

func (c *call) orderHypervisorIPBlocks() answer {
	h, a := c.findHypervisor()
	if h == nil {
		return a
	}
	f := c.form()
	if f.in["order"] == nil {
		f.fail("The order field must be present.")
	}
	order := f.ints("order")
	for _, id := range order {
		if b := c.Blocks[id]; b == nil || !c.mayUse(h, b) {
			f.fail("Invalid IP block")
		}
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	put(&c.Net.Order, h.ID, order)
	return nothing(http.StatusOK)
}

// findBinding returns the hypervisor and the bound block that the path names, or the refusal.
func (c *call) findBinding() (*hypervisor, int64, answer) {
	h, a := c.findHypervisor()
	if h == nil {
		return nil, 0, a
	}
	blockID := c.id("blockId")
	if _, bound := c.Net.Bound[h.ID][blockID]; !bound {
		return nil, 0, missing("ip block")
	}
	return h, blockID, answer{}
}

func (c *call) rebindHypervisorIPBlock() answer {
	h, blockID, a := c.findBinding()
	if h == nil {
		return a
	}
	f := c.form()
	f.require("networkId")
	networkID := f.count("networkId", 0)
	if f.has("networkId") && c.networkOf(h, networkID) == nil {
		f.fail("Invalid hypervisor network")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	c.Net.Bound[h.ID][blockID] = networkID
	return nothing(http.StatusOK)
}

func (c *call) unbindHypervisorIPBlock() answer {
	h, blockID, a := c.findBinding()
	if h == nil {
		return a
	}
	delete(c.Net.Bound[h.ID], blockID)
	return empty(http.StatusNoContent)
}

func text(n int64) string { return strconv.FormatInt(n, 10) }
