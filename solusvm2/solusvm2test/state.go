package solusvm2test

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"time"
)

// state is everything the panel knows. It is plain data: what time does to it is done by settle.
type state struct {
	AdminToken   string                  `json:"adminToken"`
	Last         map[string]int64        `json:"last"` // last id of each table
	Tokens       map[string]*token       `json:"tokens"`
	Roles        map[int64]*role         `json:"roles"`
	LimitGroups  map[int64]*limitGroup   `json:"limitGroups"`
	Users        map[int64]*user         `json:"users"`
	Projects     map[int64]*project      `json:"projects"`
	Keys         map[int64]*sshKey       `json:"keys"`
	Plans        map[int64]*plan         `json:"plans"`
	Locations    map[int64]*location     `json:"locations"`
	Images       map[int64]*image        `json:"images"`
	Versions     map[int64]*imageVersion `json:"versions"`
	Applications map[int64]*application  `json:"applications"`
	Nodes        map[int64]*node         `json:"nodes"`
	Storages     map[int64]*storage      `json:"storages"`
	Blocks       map[int64]*block        `json:"blocks"`
	Addresses    map[int64]*address      `json:"addresses"`
	Servers      map[int64]*server       `json:"servers"` // the deleted ones too
	Tasks        map[int64]*task         `json:"tasks"`
	Open         []int64                 `json:"open"` // tasks that time ends
	Snapshots    map[int64]*snapshot     `json:"snapshots"`
	Backups      map[int64]*backup       `json:"backups"`
	Log          []logEntry              `json:"log"`
	Handlers     map[int64]*eventHandler `json:"handlers"`
	Deliveries   []*delivery             `json:"deliveries"`
	Settings     map[string]any          `json:"settings"`
	Fails        []plannedFailure        `json:"fails"`
	Mails        []Mail                  `json:"mails"`
	Forbidden    map[string]bool         `json:"forbidden"` // operations that no token may use
}

// Mail is one mail that the panel would have sent.
type Mail struct {
	Time    time.Time `json:"time"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
}

// clock is the present time the way the panel stores times: without a zone and without a monotonic reading, so that they are the same after a snapshot.
func clock() time.Time { return time.Now().Round(0).UTC() }

func newState(now time.Time, adminToken string) *state {
	st := &state{
		AdminToken: adminToken,
		// Tables start at different numbers, so that an id used in the wrong place finds nothing.
		Last: map[string]int64{
			"role": 0, "limit group": 4, "user": 0, "project": 500, "key": 70, "plan": 10, "location": 20, "image": 30, "version": 40, "application": 80, "node": 5,
			"storage": 60, "block": 200, "address": 3000, "server": 100, "disk": 600, "task": 1000, "snapshot": 300, "backup": 400, "log": 0, "handler": 0,
			"member": 700, "migration": 800,
		},
		Tokens: map[string]*token{adminToken: {UserID: 1}}, Roles: map[int64]*role{}, LimitGroups: map[int64]*limitGroup{}, Users: map[int64]*user{},
		Projects: map[int64]*project{}, Keys: map[int64]*sshKey{}, Plans: map[int64]*plan{}, Locations: map[int64]*location{}, Images: map[int64]*image{},
		Versions: map[int64]*imageVersion{}, Applications: map[int64]*application{}, Nodes: map[int64]*node{}, Storages: map[int64]*storage{},
		Blocks: map[int64]*block{}, Addresses: map[int64]*address{}, Servers: map[int64]*server{}, Tasks: map[int64]*task{}, Snapshots: map[int64]*snapshot{},
		Backups: map[int64]*backup{}, Handlers: map[int64]*eventHandler{}, Settings: newSettings(), Forbidden: map[string]bool{},
	}
	st.Roles[RoleAdmin] = &role{ID: st.next("role"), Name: "ADMIN"}
	st.Roles[RoleClient] = &role{ID: st.next("role"), Name: "CLIENT", Default: true}
	st.addUser(now, &user{Email: "admin@solusvm2.test", RoleIDs: []int64{RoleAdmin}})
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

// mail records a mail to a user.
func (st *state) mail(now time.Time, userID int64, subject string) {
	if u := st.Users[userID]; u != nil {
		st.Mails = append(st.Mails, Mail{Time: now, To: u.Email, Subject: subject})
	}
}

// Mails returns the mails that the panel would have sent, oldest first.
func (p *Panel) Mails() []Mail {
	return view(p, func(c *call) []Mail { return slices.Clone(c.Mails) })
}

// newUUID makes a random UUID.
func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// newPassword makes a random password.
func newPassword() string { return rand.Text()[:15] }
