package ospabpanel

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// VPS is a record as the panel tells it. Answers of the sync API usually hold ID, Name, Status and CreatedAt only. What the panel did not tell is absent or
// empty.
type VPS struct {
	ID       VPSID
	UserID   PanelUserID // 0 when not told
	Name     string
	Status   Status
	CPUCores provisioning.Opt[int]
	// Memory and Disk are told in MB of 2^20 and GB of 2^30 bytes.
	Memory, Disk provisioning.Opt[provisioning.Bytes]
	OS           string
	Hypervisor   Hypervisor
	// IPAddress is text as the panel stores it, usually empty: the sync API cannot set it.
	IPAddress            string
	CreatedAt, UpdatedAt time.Time
}

// columns is a record on the wire. Fields that nobody knows are ignored, and null counts as not told.
type columns struct {
	ID         rest.Int    `json:"id"`
	UserID     rest.Int    `json:"user_id"`
	Name       rest.String `json:"name"`
	Status     rest.String `json:"status"`
	CPU        rest.Int    `json:"cpu"`
	RAM        rest.Int    `json:"ram"`
	Disk       rest.Int    `json:"disk"`
	OS         rest.String `json:"os"`
	Hypervisor rest.String `json:"hypervisor"`
	IPAddress  rest.String `json:"ip_address"`
	CreatedAt  timestamp   `json:"created_at"`
	UpdatedAt  timestamp   `json:"updated_at"`
}

// timestamp is a time on which nothing depends: one that cannot be read counts as not told, so that it never turns a good answer into an unclear one.
type timestamp struct{ rest.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *timestamp) UnmarshalJSON(b []byte) error {
	if t.Time.UnmarshalJSON(b) != nil {
		*t = timestamp{}
	}
	return nil
}

func (c columns) vps() VPS {
	v := VPS{
		ID: VPSID(c.ID), UserID: PanelUserID(c.UserID), Name: string(c.Name), Status: Status(c.Status), OS: string(c.OS), Hypervisor: Hypervisor(c.Hypervisor),
		Memory: size(c.RAM, provisioning.MiB), Disk: size(c.Disk, provisioning.GiB), IPAddress: string(c.IPAddress),
		CreatedAt: c.CreatedAt.Time.Time, UpdatedAt: c.UpdatedAt.Time.Time,
	}
	if c.CPU > 0 {
		v.CPUCores = provisioning.Some(int(c.CPU))
	}
	return v
}

// size is absent for what cannot be one: zero, negative or absurd numbers.
func size(n rest.Int, unit provisioning.Bytes) provisioning.Opt[provisioning.Bytes] {
	b, err := provisioning.Of(int64(n), unit)
	if err != nil || b == 0 {
		return provisioning.Opt[provisioning.Bytes]{}
	}
	return provisioning.Some(b)
}

// decodeList reads the answer of GET /api/vps, whose shape is not documented: a list, null for an empty one, or an object with one of these under "vps" or
// "data". Anything else is an error, because reading it as an empty list would say that the customer has nothing.
func decodeList(answer json.RawMessage) ([]VPS, error) {
	if bytes.HasPrefix(bytes.TrimSpace(answer), []byte("{")) {
		var wrapped map[string]json.RawMessage
		if err := json.Unmarshal(answer, &wrapped); err != nil {
			return nil, err
		}
		vps, isVPS := wrapped["vps"]
		data, isData := wrapped["data"]
		switch {
		case isVPS == isData:
			return nil, unexpected(`the answer is an object without exactly one of "vps" and "data"`)
		case isVPS:
			answer = vps
		default:
			answer = data
		}
	}
	var rows []columns
	if err := json.Unmarshal(answer, &rows); err != nil {
		return nil, err
	}
	list := make([]VPS, len(rows))
	for i, row := range rows {
		if row.ID < 1 {
			return nil, unexpected("row %d of the list has no id", i+1)
		}
		list[i] = row.vps()
	}
	return list, nil
}

// oneVPS is the answer of GET /api/vps/{id}: the record itself, or an object that holds it under "vps". The shape is not documented.
type oneVPS struct {
	columns
	VPS *columns `json:"vps"`
}

func (o oneVPS) vps() VPS {
	if o.VPS != nil {
		return o.VPS.vps()
	}
	return o.columns.vps()
}
