// Package benchmarks measures hvpanels against plain net/http on the same bytes. It has benchmarks only:
//
//	cd benchmarks
//	GOWORK=off go test -bench GetServer -benchtime 2000x
//	GOWORK=off go test -bench ListServers -benchtime 3x
//
// GetServer reads one server into virtfusion.Server: with net/http, io.ReadAll and json.Unmarshal ("plain"), and with the client as it is made by default ("hvpanels"). In memory the transport
// answers from a byte slice; over loopback the server is another process. Plain and hvpanels calls alternate, so that both see the same machine, and their quotients are printed as the metrics x-time and x-bytes.
//
// ListServers walks 1,000, 10,000 and 100,000 servers through the iterator and prints the highest live heap above the one before the walk.
package benchmarks
