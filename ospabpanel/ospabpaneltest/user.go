package ospabpaneltest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/provisioning"
)

// columns is a row as the user API shows it.
type columns struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"`
	Status     string    `json:"status"`
	IPAddress  string    `json:"ip_address"`
	CPU        int64     `json:"cpu"`
	RAM        int64     `json:"ram"`
	Disk       int64     `json:"disk"`
	OS         string    `json:"os"`
	UserID     int64     `json:"user_id"`
	Hypervisor string    `json:"hypervisor"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

func columnsOf(r Record) columns {
	return columns{r.ID, r.Name, r.Status, r.IPAddress, r.CPUCores, r.MemoryMB, r.DiskGB, r.OS, r.UserID, r.Hypervisor, r.CreatedAt, r.UpdatedAt}
}

// authenticate returns the user of the request's token, or the refusal.
func (p *Panel) authenticate(r *http.Request) (userID int64, refused *reply) {
	header := r.Header.Get("Authorization")
	var message string
	if header == "" {
		message = "Authorization header required"
	} else if token, ok := strings.CutPrefix(header, "Bearer "); !ok {
		message = "Invalid authorization header format"
	} else if id, err := checkToken(token, p.state.JWTSecret, time.Now()); err != nil {
		message = "Invalid token"
	} else {
		return id, nil
	}
	no := p.refuse(http.StatusUnauthorized, message)
	return 0, &no
}

func (p *Panel) list(userID int64) reply {
	var rows []columns // nil becomes null, as on the panel
	for _, row := range p.state.Records {
		if row.UserID == userID {
			rows = append(rows, columnsOf(row))
		}
	}
	if p.options.ListKey != "" {
		return reply{status: http.StatusOK, body: map[string]any{p.options.ListKey: rows}}
	}
	return reply{status: http.StatusOK, body: rows}
}

// own returns the user's row, or nil. Foreign rows look like rows that do not exist.
func (p *Panel) own(userID, id int64) *Record {
	if row := p.state.record(id); row != nil && row.UserID == userID {
		return row
	}
	return nil
}

func (p *Panel) notFound() reply { return p.refuse(http.StatusNotFound, "VPS not found") }

func (p *Panel) get(userID, id int64) reply {
	row := p.own(userID, id)
	if row == nil {
		return p.notFound()
	}
	if p.options.WrapVPS {
		return reply{status: http.StatusOK, body: map[string]any{"vps": columnsOf(*row)}}
	}
	return reply{status: http.StatusOK, body: columnsOf(*row)}
}

// act accepts an action; its effect comes after Options.ActionTime. That a suspended VPS stays suspended is a guess.
func (p *Panel) act(userID, id int64, next string) reply {
	row := p.own(userID, id)
	if row == nil {
		return p.notFound()
	}
	if row.Status != "suspended" {
		row.NextStatus, row.NextAt = next, time.Now().Add(p.options.ActionTime)
		p.state.settle(time.Now())
	}
	return reply{status: http.StatusOK, body: map[string]string{"result": "ok"}}
}

func (p *Panel) stats(userID, id int64) reply {
	if p.own(userID, id) == nil {
		return p.notFound()
	}
	return reply{status: http.StatusOK, body: p.options.Stats}
}

type account struct {
	ID        int64     `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (p *Panel) session(status int, u User) reply {
	return reply{status: status, body: map[string]any{
		"token": signToken(u, p.state.JWTSecret, time.Now()),
		"user":  account{u.ID, u.Username, u.Email, u.CreatedAt, u.CreatedAt},
	}}
}

type credentials struct {
	Username string              `json:"username"`
	Email    string              `json:"email"`
	Password provisioning.Secret `json:"password"`
}

func (p *Panel) login(body []byte) reply {
	var in credentials
	if json.Unmarshal(body, &in) != nil || in.Username == "" || in.Password == "" {
		return p.refuse(http.StatusBadRequest, "Неверный формат запроса")
	}
	u := p.state.user(func(u User) bool { return u.Username == in.Username && u.Password == in.Password })
	if u == nil {
		return p.refuse(http.StatusUnauthorized, "Неверное имя пользователя или пароль")
	}
	return p.session(http.StatusOK, *u)
}

func (p *Panel) register(body []byte) reply {
	var in credentials
	if json.Unmarshal(body, &in) != nil || in.Username == "" || in.Email == "" {
		return p.refuse(http.StatusBadRequest, "Неверный формат запроса")
	}
	if utf8.RuneCountInString(in.Password.Reveal()) < 8 {
		return p.refuse(http.StatusBadRequest, "Пароль должен содержать минимум 8 символов")
	}
	if p.state.user(func(u User) bool { return u.Username == in.Username || u.Email == in.Email }) != nil {
		return p.refuse(http.StatusBadRequest, "Пользователь уже существует")
	}
	return p.session(http.StatusCreated, p.state.addUser(in.Username, in.Email, in.Password))
}
