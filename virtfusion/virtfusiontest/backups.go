package virtfusiontest

import "time"

// backup is a legacy backup of a server.
type backup struct {
	ID       int64     `json:"id"`
	ServerID int64     `json:"serverId"`
	Created  time.Time `json:"created"`
}

func backupOperations() []operation {
	return []operation{{"listLegacyServerBackups", "GET /backups/server/{serverId}", "", (*call).listLegacyServerBackups}}
}

func (c *call) listLegacyServerBackups() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	rows := []obj{}
	for _, b := range sorted(c.Backups) {
		if b.ServerID == s.ID {
			rows = append(rows, obj{
				"id": b.ID, "serverId": b.ServerID, "storage": obj{"id": 6, "name": "Backup Storage", "enabled": true}, "deleting": false, "restoring": false,
				"progress": false, "complete": true, "deleteAfter": nil, "created": offset(b.Created), "updated": offset(b.Created.Add(time.Minute)),
			})
		}
	}
	return ok(rows)
}

// AddBackup adds a finished legacy backup of a server.
func (p *Panel) AddBackup(serverID int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.state.next("backup")
	p.state.Backups[id] = &backup{ID: id, ServerID: serverID, Created: clock()}
}
