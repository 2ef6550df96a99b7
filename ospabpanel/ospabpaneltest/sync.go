package ospabpaneltest

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"
)

// syncRequest is what POST /api/vps/sync takes. The action decides which fields of vps count.
type syncRequest struct {
	Action string `json:"action"`
	VPS    *struct {
		ID         int64  `json:"id"`
		UserID     int64  `json:"user_id"`
		Name       string `json:"name"`
		Status     string `json:"status"`
		CPU        int64  `json:"cpu"`
		RAM        int64  `json:"ram"`
		Disk       int64  `json:"disk"`
		OS         string `json:"os"`
		Hypervisor string `json:"hypervisor"`
	} `json:"vps"`
}

// sync is the whole sync API: one route, three actions. It never asks whose record it touches.
func (p *Panel) sync(r *http.Request, body []byte) reply {
	// That a wrong key is 401 is a guess; its message is documented.
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-Key")), []byte(p.state.Key.Reveal())) != 1 {
		return p.refuse(http.StatusUnauthorized, "Invalid or missing API key")
	}
	var in syncRequest
	if json.Unmarshal(body, &in) != nil {
		return p.refuse(http.StatusBadRequest, "Invalid request body")
	}
	if in.Action == "" || in.VPS == nil {
		return p.refuse(http.StatusBadRequest, "Missing required fields")
	}
	switch in.Action {
	case "create":
		return p.syncCreate(in)
	case "update":
		return p.syncUpdate(in)
	case "delete":
		return p.syncDelete(in)
	}
	return p.refuse(http.StatusBadRequest, "Unknown action")
}

func (p *Panel) syncCreate(in syncRequest) reply {
	v := in.VPS
	if v.UserID < 1 || v.Name == "" || v.CPU < 1 || v.RAM < 1 || v.Disk < 1 || v.OS == "" {
		return p.refuse(http.StatusBadRequest, "Missing required fields")
	}
	for _, f := range []struct {
		name, value string
		max         int
	}{{"name", v.Name, 255}, {"os", v.OS, 100}, {"status", v.Status, 20}, {"hypervisor", v.Hypervisor, 20}} {
		if utf8.RuneCountInString(f.value) > f.max {
			return p.refuse(http.StatusBadRequest, f.name+" is too long")
		}
	}
	if !p.options.AcceptUnknownUser && p.state.user(func(u User) bool { return u.ID == v.UserID }) == nil {
		return p.refuse(http.StatusInternalServerError, "Error 1452: Cannot add or update a child row: a foreign key constraint fails")
	}
	if v.Hypervisor == "" {
		v.Hypervisor = "proxmox"
	}
	now := time.Now()
	row := p.state.addRecord(Record{
		UserID: v.UserID, Name: v.Name, Status: "creating", CPUCores: v.CPU, MemoryMB: v.RAM, DiskGB: v.Disk, OS: v.OS, Hypervisor: v.Hypervisor,
		CreatedAt: now, UpdatedAt: now,
	})
	if p.options.NullAddressBug {
		return p.refuse(http.StatusInternalServerError, `sql: Scan error on column index 3, name "ip_address": converting NULL to string is unsupported`)
	}
	return p.synced(p.options.CreateStatus, &row)
}

func (p *Panel) syncUpdate(in syncRequest) reply {
	if in.VPS.ID < 1 || in.VPS.Status == "" {
		return p.refuse(http.StatusBadRequest, "Missing required fields")
	}
	switch in.VPS.Status {
	case "creating", "running", "stopped", "suspended":
	default:
		return p.refuse(http.StatusBadRequest, "Invalid status")
	}
	row := p.state.record(in.VPS.ID)
	if row == nil {
		return p.unknown()
	}
	row.Status, row.UpdatedAt, row.NextStatus, row.NextAt = in.VPS.Status, time.Now(), "", time.Time{}
	return p.synced(http.StatusOK, row)
}

func (p *Panel) syncDelete(in syncRequest) reply {
	if in.VPS.ID < 1 {
		return p.refuse(http.StatusBadRequest, "Missing required fields")
	}
	if p.state.record(in.VPS.ID) == nil {
		return p.unknown()
	}
	kept := p.state.Records[:0]
	for _, row := range p.state.Records {
		if row.ID != in.VPS.ID {
			kept = append(kept, row)
		}
	}
	p.state.Records = kept
	return p.synced(http.StatusOK, nil)
}

// unknown answers an update or a delete of an id that does not exist. The older panel does not look at how many rows it touched.
func (p *Panel) unknown() reply {
	if p.options.RefuseUnknownID {
		return p.refuse(http.StatusNotFound, "VPS not found")
	}
	return p.synced(http.StatusOK, nil)
}

type syncAnswer struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	VPS     any    `json:"vps,omitempty"`
}

func (p *Panel) synced(status int, row *Record) reply {
	answer := syncAnswer{Status: "success", Message: "VPS synced successfully"}
	switch {
	case row == nil:
	case p.options.FullAnswer:
		answer.VPS = columnsOf(*row)
	default:
		answer.VPS = struct {
			ID        int64     `json:"id"`
			Name      string    `json:"name"`
			Status    string    `json:"status"`
			CreatedAt time.Time `json:"created_at"`
		}{row.ID, row.Name, row.Status, row.CreatedAt}
	}
	return reply{status: status, body: answer}
}
