package solusvm2test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

const (
	userActive    = "active"
	userLocked    = "locked"
	userSuspended = "suspended"
)

type user struct {
	ID            int64     `json:"id"`
	Email         string    `json:"email"`
	Password      string    `json:"password"`
	Status        string    `json:"status"`
	RoleIDs       []int64   `json:"roleIds"`
	LanguageID    int64     `json:"languageId"`
	LimitGroupID  int64     `json:"limitGroupId"` // 0 for none
	BillingUserID string    `json:"billingUserId"`
	BillingToken  string    `json:"billingToken"`
	AllowedIPs    []string  `json:"allowedIps"`
	Created       time.Time `json:"created"`
}

// User describes a user to add.
type User struct {
	Email         string
	Password      provisioning.Secret // none means that the user cannot log in
	BillingUserID string
	Admin         bool     // the role ADMIN instead of CLIENT
	AllowedIPs    []string // addresses and networks from which the user may come; none means all
}

// UserState is the truth about one user, for tests.
type UserState struct {
	ID            int64
	Email         string
	Status        string // active, locked, suspended
	Admin         bool
	BillingUserID string
	ProjectID     int64 // the default project
	Created       time.Time
}

// AddUser adds a user with a default project and returns its id.
func (p *Panel) AddUser(in User) int64 {
	return view(p, func(c *call) int64 {
		u := &user{Email: in.Email, Password: in.Password.Reveal(), RoleIDs: []int64{RoleClient}, BillingUserID: in.BillingUserID, AllowedIPs: in.AllowedIPs}
		if in.Admin {
			u.RoleIDs = []int64{RoleAdmin}
		}
		return c.addUser(c.now, u).ID
	})
}

// Users returns all users, in the order of the ids.
func (p *Panel) Users() []UserState {
	return view(p, func(c *call) []UserState {
		var list []UserState
		for _, u := range sorted(c.Users) {
			list = append(list, UserState{
				ID: u.ID, Email: u.Email, Status: u.Status, Admin: slices.Contains(u.RoleIDs, RoleAdmin), BillingUserID: u.BillingUserID,
				ProjectID: c.defaultProject(u.ID).ID, Created: u.Created,
			})
		}
		return list
	})
}

// addUser stores a user. That everybody gets a default project is a guess.
func (st *state) addUser(now time.Time, u *user) *user {
	u.ID, u.Created = st.next("user"), now
	if u.Status == "" {
		u.Status = userActive
	}
	st.Users[u.ID] = u
	st.addProject(now, &project{OwnerID: u.ID, Name: "Default", Default: true})
	return u
}

func userOperations() []operation {
	return []operation{
		{"listUsers", "GET /users", admins, (*call).listUsers},
		{"createUser", "POST /users", admins, (*call).createUser},
		{"getUser", "GET /users/{id}", admins, (*call).getUser},
		{"updateUser", "PUT /users/{id}", admins, (*call).updateUser},
		{"patchUser", "PATCH /users/{id}", admins, (*call).updateUser},
		{"deleteUser", "DELETE /users/{id}", admins, (*call).deleteUser},
		{"createUserToken", "POST /users/{id}/tokens", admins, (*call).createUserToken},
		{"listUserProjects", "GET /users/{id}/projects", admins, (*call).listUserProjects},
		{"listLanguages", "GET /languages", everyone, (*call).listLanguages},
	}
}

// userByEmail compares without case (guess).
func (st *state) userByEmail(email string) *user {
	for _, u := range sorted(st.Users) {
		if strings.EqualFold(u.Email, email) {
			return u
		}
	}
	return nil
}

func (c *call) listUsers() answer {
	rows := slices.DeleteFunc(sorted(c.Users), func(u *user) bool {
		role := c.filter("role_id")
		hasRole := slices.ContainsFunc(u.RoleIDs, func(id int64) bool { return itoa(id) == role })
		return !c.found(u.Email) || !c.matches("status", u.Status) || role != "" && !hasRole
	})
	return page(c, rows, c.userJSON)
}

func (c *call) getUser() answer {
	u := find(c, c.Users)
	if u == nil {
		return c.lost("User")
	}
	return ok(c.userJSON(u))
}

// checkUser reads what creation and change have in common into u.
func (c *call) checkUser(f *form, u *user) {
	u.Password = f.text("password", u.Password, 255)
	u.Status = f.word("status", u.Status, userActive, userLocked, userSuspended)
	u.LanguageID = f.int("language_id", u.LanguageID, 1, int64(len(languages)))
	u.RoleIDs = refIDs(f, "roles", u.RoleIDs, c.Roles)
	u.LimitGroupID = refID(f, "limit_group_id", u.LimitGroupID, c.LimitGroups)
	if f.has("billing_user_id") {
		switch v := f.in["billing_user_id"].(type) {
		case string:
			u.BillingUserID = v
		case json.Number:
			u.BillingUserID = v.String()
		default:
			f.fail("billing_user_id", "The billing user id is invalid.")
		}
	}
	u.BillingToken = f.text("billing_token", u.BillingToken, 1024)
	u.AllowedIPs = f.texts("allowed_ips", u.AllowedIPs)
	for i, text := range u.AllowedIPs {
		if _, err := parseNetwork(text); err != nil {
			f.fail(fmt.Sprintf("allowed_ips.%d", i), "The allowed_ips.%d must be a valid IP address or network.", i)
		}
	}
}

func (c *call) createUser() answer {
	f := c.form()
	f.require("email")
	u := &user{Email: f.text("email", "", 255), Status: userActive, RoleIDs: []int64{RoleClient}, LanguageID: 1}
	if _, err := mail.ParseAddress(u.Email); u.Email != "" && err != nil {
		f.fail("email", "The email must be a valid email address.")
	}
	if c.userByEmail(u.Email) != nil {
		f.fail("email", "The email has already been taken.")
	}
	c.checkUser(f, u)
	if f.failed() {
		return f.invalid()
	}
	c.addUser(c.now, u)
	c.log(c.now, c.user.Email, "user_created", obj{"id": u.ID, "email": u.Email})
	c.fire(c.now, EventUserCreated, subject{user: u})
	return made(c.userJSON(u))
}

// updateUser serves PUT and PATCH: both change what is sent. The e-mail address cannot be changed, no client sends it.
func (c *call) updateUser() answer {
	u := find(c, c.Users)
	if u == nil {
		return c.lost("User")
	}
	f := c.form()
	changed := *u
	c.checkUser(f, &changed)
	if f.failed() {
		return f.invalid()
	}
	before := *u
	*u = changed
	if u.Password != before.Password {
		c.endLogins(u.ID) // guess
	}
	if u.Status != before.Status {
		c.suspendServersOf(u, before.Status)
	}
	return ok(c.userJSON(u))
}

// suspendServersOf follows a change of the user's status. That lifting it resumes the servers is a guess; a server that is busy is left out (guess).
func (c *call) suspendServersOf(u *user, before string) {
	if u.Status != userSuspended && before != userSuspended {
		return
	}
	action := TaskSuspend
	if u.Status != userSuspended {
		action = TaskResume
	}
	for _, s := range c.live() {
		if s.UserID == u.ID && c.openTask(s) == nil && s.Suspended == (action == TaskResume) {
			c.start(s, action, c.panel.timing.Suspend, work{})
		}
	}
}

// deleteUser refuses to delete an owner of servers (guess). The projects go with the user.
func (c *call) deleteUser() answer {
	u := find(c, c.Users)
	if u == nil {
		return c.lost("User")
	}
	if slices.ContainsFunc(c.live(), func(s *server) bool { return s.UserID == u.ID }) {
		return conflict("The user has servers and cannot be deleted.")
	}
	if u.ID == c.user.ID {
		return conflict("You cannot delete yourself.")
	}
	for id, pr := range c.Projects {
		if pr.OwnerID == u.ID && c.serversIn(id) > 0 {
			return conflict("A project of the user has servers.")
		}
	}
	for id, pr := range c.Projects {
		if pr.OwnerID == u.ID {
			delete(c.Projects, id)
			continue
		}
		pr.Members = slices.DeleteFunc(pr.Members, func(m *member) bool { return m.UserID == u.ID })
	}
	for id, k := range c.Keys {
		if k.UserID == u.ID {
			delete(c.Keys, id)
		}
	}
	for text, t := range c.Tokens {
		if t.UserID == u.ID {
			delete(c.Tokens, text)
		}
	}
	delete(c.Users, u.ID)
	c.log(c.now, c.user.Email, "user_deleted", obj{"id": u.ID, "email": u.Email})
	c.fire(c.now, EventUserDeleted, subject{user: u})
	return noContent()
}

// createUserToken issues a token of the user, which is good for one request when it is one-time. That others do not expire is a guess.
func (c *call) createUserToken() answer {
	u := find(c, c.Users)
	if u == nil {
		return c.lost("User")
	}
	f := c.form()
	t := &token{UserID: u.ID, OneTime: f.bool("is_one_time", false)}
	if f.failed() {
		return f.invalid()
	}
	return answer{status: http.StatusCreated, body: obj{"data": obj{"access_token": c.issue(t), "token_type": "Bearer", "expires_at": nil}}}
}

var languages = []string{"English", "Português", "Türkçe"}

func (c *call) listLanguages() answer {
	return page(c, languages, func(name string) obj { return ref(int64(slices.Index(languages, name)+1), name) })
}

func (c *call) userJSON(u *user) obj {
	roles := []obj{}
	for _, id := range u.RoleIDs {
		r := c.Roles[id]
		roles = append(roles, obj{"id": r.ID, "name": r.Name, "is_default": r.Default})
	}
	o := obj{
		"id": u.ID, "email": u.Email, "status": u.Status, "roles": roles, "billing_user_id": nullable(u.BillingUserID), "billing_token": nullable(u.BillingToken),
		"limit_group": nil, "allowed_ips": append([]string{}, u.AllowedIPs...), "created_at": c.time(u.Created),
	}
	if n, err := strconv.ParseInt(u.BillingUserID, 10, 64); err == nil {
		o["billing_user_id"] = n
	}
	if g := c.LimitGroups[u.LimitGroupID]; g != nil {
		o["limit_group"] = c.limitGroupJSON(g)
	}
	return o
}
