package solusvm2test

import (
	"slices"
	"time"
)

// The built-in roles.
const (
	RoleAdmin  int64 = 1
	RoleClient int64 = 2
)

// PermissionMaintenance lets a role work on servers of a compute resource in maintenance. It is the only permission whose name the documentation tells.
const PermissionMaintenance int64 = 1

type role struct {
	ID          int64   `json:"id"`
	Name        string  `json:"name"`
	Default     bool    `json:"default"`
	Permissions []int64 `json:"permissions"`
}

// limitGroup limits what its users may have; -1 is no limit.
type limitGroup struct {
	ID      int64     `json:"id"`
	Created time.Time `json:"created"`
	LimitGroup
}

// LimitGroup describes a limit group to add. A negative number is no limit.
type LimitGroup struct {
	Name           string `json:"name"`
	Servers        int64  `json:"servers"`
	RunningServers int64  `json:"runningServers"`
	AdditionalIPs  int64  `json:"additionalIps"`
}

// AddLimitGroup adds a limit group and returns its id. The limits bind users who order for themselves, not administrators (guess); that of running servers is
// only shown.
func (p *Panel) AddLimitGroup(in LimitGroup) int64 {
	return view(p, func(c *call) int64 {
		g := &limitGroup{ID: c.next("limit group"), Created: c.now, LimitGroup: in}
		c.LimitGroups[g.ID] = g
		return g.ID
	})
}

// exceeds reports whether the owner of the token would have more than a limit of the own group allows.
func (c *call) exceeds(limit func(*limitGroup) int64, would int64) bool {
	g := c.LimitGroups[c.user.LimitGroupID]
	return g != nil && !c.isAdmin() && limit(g) >= 0 && would > limit(g)
}

func roleOperations() []operation {
	return []operation{
		{"listRoles", "GET /roles", admins, (*call).listRoles},
		{"createRole", "POST /roles", admins, (*call).createRole},
		{"getRole", "GET /roles/{id}", admins, (*call).getRole},
		{"listPermissions", "GET /permissions", admins, (*call).listPermissions},
		{"listLimitGroups", "GET /limit_groups", admins, (*call).listLimitGroups},
	}
}

func (c *call) listRoles() answer { return page(c, sorted(c.Roles), c.roleJSON) }

func (c *call) getRole() answer {
	r := find(c, c.Roles)
	if r == nil {
		return c.lost("Role")
	}
	return ok(c.roleJSON(r))
}

func (c *call) createRole() answer {
	f := c.form()
	f.require("name")
	r := &role{Name: f.text("name", "", 255), Permissions: refIDs(f, "permissions", nil, permissions)}
	if slices.ContainsFunc(sorted(c.Roles), func(o *role) bool { return o.Name == r.Name }) {
		f.fail("name", "The name has already been taken.") // guess
	}
	if f.failed() {
		return f.invalid()
	}
	r.ID = c.next("role")
	c.Roles[r.ID] = r
	return made(c.roleJSON(r))
}

func (c *call) roleJSON(r *role) obj {
	users := 0
	for _, u := range c.Users {
		if slices.Contains(u.RoleIDs, r.ID) {
			users++
		}
	}
	return obj{"id": r.ID, "name": r.Name, "is_default": r.Default, "users_count": users}
}

type permission struct {
	id   int64
	name string
}

var permissions = map[int64]*permission{PermissionMaintenance: {PermissionMaintenance, "ACCESS_CR_IN_MAINTENANCE_MODE"}}

func (c *call) listPermissions() answer {
	return unpaged(sorted(permissions), func(p *permission) obj { return ref(p.id, p.name) })
}

func (c *call) listLimitGroups() answer { return page(c, sorted(c.LimitGroups), c.limitGroupJSON) }

func (c *call) limitGroupJSON(g *limitGroup) obj {
	limit := func(n int64) obj { return obj{"limit": max(n, 0), "is_enabled": n >= 0} }
	return obj{
		"id": g.ID, "name": g.Name, "vms": limit(g.Servers), "running_vms": limit(g.RunningServers), "additional_ips": limit(g.AdditionalIPs),
		"created_at": c.time(g.Created), "updated_at": c.time(g.Created),
	}
}
