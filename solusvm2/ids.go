package solusvm2

// ServerID is the panel's number of a server, 1 or greater. Usage and console addresses use the server's UUID instead.
type ServerID int64

// UserID is the panel's number of a user. It is not the user's number in the billing system.
type UserID int64

// ComputeResourceID is the panel's number of a compute resource: a node that runs servers.
type ComputeResourceID int64
