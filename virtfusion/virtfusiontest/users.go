package virtfusiontest

import (
	"math"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// user is an account of the panel. ExtRelationID and RelStr are the caller's own ids, 0 and "" for none.
type user struct {
	ID             int64     `json:"id"`
	Admin          bool      `json:"admin"`
	ExtRelationID  int64     `json:"extRelationId"`
	RelStr         string    `json:"relStr"`
	Name           string    `json:"name"`
	Email          string    `json:"email"`
	SelfService    int64     `json:"selfService"`
	HourlyProfiles []int64   `json:"hourlyProfiles"`
	PackProfiles   []int64   `json:"packProfiles"`
	HourlyPack     int64     `json:"hourlyPack"`
	Enabled        bool      `json:"enabled"`
	Password       string    `json:"password"`
	Created        time.Time `json:"created"`
	Updated        time.Time `json:"updated"`
}

// User describes a user to add.
type User struct {
	Name          string
	Email         string
	ExtRelationID int64 // 0 for none
	RelStr        string
	Admin         bool
}

// AddUser adds a user and returns the panel's own id of it, which is not the external one.
func (p *Panel) AddUser(in User) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	st, now := p.state, clock()
	u := &user{
		ID: st.next("user"), Admin: in.Admin, ExtRelationID: in.ExtRelationID, RelStr: in.RelStr, Name: in.Name, Email: in.Email, Enabled: true,
		Password: newPassword(), Created: now, Updated: now,
	}
	st.Users[u.ID] = u
	return u.ID
}

func userOperations() []operation {
	return []operation{
		{"createUser", "POST /users", "", (*call).createUser},
		{"getUserByExtRelation", "GET /users/{extRelationId}/byExtRelation", "", (*call).getUserByExtRelation},
		{"modifyUserByExtRelation", "PUT /users/{extRelationId}/byExtRelation", "", (*call).modifyUserByExtRelation},
		{"deleteUserByExtRelation", "DELETE /users/{extRelationId}/byExtRelation", "", (*call).deleteUserByExtRelation},
		{"resetUserPassword", "POST /users/{extRelationId}/byExtRelation/resetPassword", "", (*call).resetUserPassword},
	}
}

// findUser returns the user that the path names by external id, or by relation text with relStr=true, or the refusal.
func (c *call) findUser() (*user, answer) {
	text := c.r.PathValue("extRelationId")
	for _, u := range sorted(c.Users) {
		if c.flag("relStr") && u.RelStr != "" && u.RelStr == text {
			return u, answer{}
		}
		if !c.flag("relStr") && u.ExtRelationID != 0 && strconv.FormatInt(u.ExtRelationID, 10) == text {
			return u, answer{}
		}
	}
	return nil, missing("ext_relation_id")
}

// taken reports whether another user than id has a value. Upper and lower case are the same to the panel's database (guess).
func (c *call) taken(id int64, has func(*user) string, value string) bool {
	return value != "" && slices.ContainsFunc(sorted(c.Users), func(u *user) bool { return u.ID != id && strings.EqualFold(has(u), value) })
}

// checkUser validates the members that creation and change have in common and stores them in u.
func (c *call) checkUser(f *form, u *user) {
	u.Name, u.Email = f.text("name", u.Name, 255), f.text("email", u.Email, 255)
	if _, err := mail.ParseAddress(u.Email); u.Email != "" && err != nil {
		f.fail("The email field must be a valid email address.")
	}
	if c.taken(u.ID, func(o *user) string { return o.Email }, u.Email) {
		f.fail("The email has already been taken.") // that it is refused is known; status and wording are guesses
	}
	u.SelfService = f.int("selfService", u.SelfService, 0, 3)
	if f.has("selfServiceHourlyGroupProfiles") {
		u.HourlyProfiles = f.ints("selfServiceHourlyGroupProfiles")
	}
	if f.has("selfServiceResourceGroupProfiles") {
		u.PackProfiles = f.ints("selfServiceResourceGroupProfiles")
	}
	u.HourlyPack = f.count("selfServiceHourlyResourcePack", u.HourlyPack)
}

func (c *call) createUser() answer {
	f := c.form()
	f.require("name", "email")
	u := &user{Enabled: true, Password: newPassword(), Created: c.now, Updated: c.now}
	c.checkUser(f, u)
	u.ExtRelationID = f.int("extRelationId", 0, 0, math.MaxInt64)
	u.RelStr = f.text("relStr", "", 255)
	if u.ExtRelationID != 0 && c.taken(0, func(o *user) string { return strconv.FormatInt(o.ExtRelationID, 10) }, strconv.FormatInt(u.ExtRelationID, 10)) {
		f.fail("The ext relation id has already been taken.") // guess
	}
	if c.taken(0, func(o *user) string { return o.RelStr }, u.RelStr) {
		f.fail("The rel str has already been taken.") // guess
	}
	send := f.bool("sendMail", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	u.ID = c.next("user")
	c.Users[u.ID] = u
	if send {
		c.mail(c.now, u.ID, "Your account")
	}
	body := u.json()
	body["password"] = u.Password
	return data(http.StatusCreated, body)
}

func (c *call) getUserByExtRelation() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	return ok(u.json())
}

// modifyUserByExtRelation changes what is sent and answers four members only.
func (c *call) modifyUserByExtRelation() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	f := c.form()
	changed := *u
	c.checkUser(f, &changed)
	changed.Enabled = f.bool("enabled", u.Enabled)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	changed.Updated = c.now
	*u = changed
	return data(http.StatusCreated, obj{"name": u.Name, "email": u.Email, "selfService": u.SelfService, "enabled": u.Enabled})
}

// deleteUserByExtRelation refuses to delete an owner of servers (guess).
func (c *call) deleteUserByExtRelation() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	if slices.ContainsFunc(c.live(), func(s *server) bool { return s.OwnerID == u.ID }) {
		return answer{status: http.StatusConflict, body: obj{"errors": []string{"The user has servers"}}}
	}
	delete(c.Users, u.ID)
	return empty(http.StatusNoContent)
}

// resetUserPassword sets a new panel password and sends no mail.
func (c *call) resetUserPassword() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	u.Password, u.Updated = newPassword(), c.now
	return data(http.StatusCreated, obj{"email": u.Email, "password": u.Password})
}

func (u *user) json() obj {
	list := func(ids []int64) []int64 { return append([]int64{}, ids...) }
	o := obj{
		"id": u.ID, "admin": u.Admin, "extRelationId": nil, "selfService": u.SelfService, "selfServiceHourlyGroupProfiles": list(u.HourlyProfiles),
		"selfServiceResourceGroupProfiles": list(u.PackProfiles), "selfServiceHourlyResourcePack": nil, "name": u.Name, "email": u.Email,
		"timezone": "Europe/Amsterdam", "suspended": false, "twoFactorAuth": false, "created": micros(u.Created), "updated": micros(u.Updated),
	}
	if u.ExtRelationID != 0 {
		o["extRelationId"] = u.ExtRelationID
	}
	if u.HourlyPack != 0 {
		o["selfServiceHourlyResourcePack"] = u.HourlyPack
	}
	return o
}
