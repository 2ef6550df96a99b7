package ospabpaneltest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Record is one row of the panel's table of VPS, as it is stored.
type Record struct {
	ID         int64     `json:"id"`
	UserID     int64     `json:"user_id"` // the panel's user id; a user that does not exist makes the row invisible to everybody
	Name       string    `json:"name"`
	Status     string    `json:"status"`
	CPUCores   int64     `json:"cpu"`
	MemoryMB   int64     `json:"ram"`
	DiskGB     int64     `json:"disk"`
	OS         string    `json:"os"`
	Hypervisor string    `json:"hypervisor"`
	IPAddress  string    `json:"ip_address"` // never set by the sync API
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`

	// NextStatus replaces Status at NextAt: an action of a panel user takes time.
	NextStatus string    `json:"next_status,omitempty"`
	NextAt     time.Time `json:"next_at,omitzero"`
}

// User is one account of the panel.
type User struct {
	ID        int64               `json:"id"`
	Username  string              `json:"username"`
	Email     string              `json:"email"`
	Password  provisioning.Secret `json:"password"`
	CreatedAt time.Time           `json:"created_at"`
}

// State is everything that the panel stores, as plain data.
type State struct {
	Records      []Record            `json:"records"`
	Users        []User              `json:"users"`
	NextRecordID int64               `json:"next_record_id"`
	NextUserID   int64               `json:"next_user_id"`
	Key          provisioning.Secret `json:"key"`        // the sync key
	JWTSecret    provisioning.Secret `json:"jwt_secret"` // signs the users' tokens
}

func (s *State) record(id int64) *Record {
	for i := range s.Records {
		if s.Records[i].ID == id {
			return &s.Records[i]
		}
	}
	return nil
}

func (s *State) user(match func(User) bool) *User {
	if i := slices.IndexFunc(s.Users, match); i >= 0 {
		return &s.Users[i]
	}
	return nil
}

// settle carries out the actions whose time has come.
func (s *State) settle(now time.Time) {
	for i := range s.Records {
		if r := &s.Records[i]; r.NextStatus != "" && !now.Before(r.NextAt) {
			r.Status, r.UpdatedAt, r.NextStatus, r.NextAt = r.NextStatus, r.NextAt, "", time.Time{}
		}
	}
}

// Records is the truth: every row the panel holds, those that no user can see included, in the order they were made.
func (p *Panel) Records() []Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.settle(time.Now())
	return slices.Clone(p.state.Records)
}

// Users returns the panel's users, in the order they were made.
func (p *Panel) Users() []User {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.state.Users)
}

// AddUser adds a panel user with the next free id, as registration or the first login through the main site does. The first user of a panel is number 1.
func (p *Panel) AddUser(username string) User {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.addUser(username, username+"@customer.example", provisioning.Secret("password-of-"+username))
}

func (s *State) addUser(username, email string, password provisioning.Secret) User {
	s.NextUserID++
	u := User{ID: s.NextUserID, Username: username, Email: email, Password: password, CreatedAt: time.Now()}
	s.Users = append(s.Users, u)
	return u
}

// AddRecord puts a row into the table as it is, for what no call of the API can make: strays of hand work, unknown statuses, addresses. ID 0 takes the next
// free one.
func (p *Panel) AddRecord(r Record) Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.CreatedAt.IsZero() {
		r.CreatedAt, r.UpdatedAt = time.Now(), time.Now()
	}
	return p.state.addRecord(r)
}

func (s *State) addRecord(r Record) Record {
	if r.ID == 0 {
		s.NextRecordID++
		r.ID = s.NextRecordID
	}
	s.NextRecordID = max(s.NextRecordID, r.ID)
	s.Records = append(s.Records, r)
	return r
}

// SetKey changes the sync key on the panel's side, at once and without overlap: there is no second valid key.
func (p *Panel) SetKey(key provisioning.Secret) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Key = key
}

// Key is the sync key that the panel takes now.
func (p *Panel) Key() provisioning.Secret {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Key
}

// Snapshot returns the state as JSON. It holds the keys and passwords of the simulated panel in clear.
func (p *Panel) Snapshot() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return json.Marshal(p.state) //nolint:gosec // the secrets of a simulated panel open nothing else
}

// Restore replaces the state by a snapshot, as restoring the panel's database from a backup does: newer rows are gone, and their ids are given out again.
func (p *Panel) Restore(snapshot []byte) error {
	var s State
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return fmt.Errorf("ospabpaneltest: the snapshot cannot be read: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = &s
	return nil
}
