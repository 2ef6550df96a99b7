package contract

// exceptions are the answers whose status a file does not list for the operation. Each must be needed.
var exceptions = map[string][]Exception{
	"virtfusion": {
		{Status: 404, Kind: "text/html", Reason: "an older panel does not have the operation; its web server answers"},
		{Status: 405, Reason: "an older panel has the path with other methods only; its framework answers"},
		{
			Operation: "deleteUserByExtRelation", Status: 409,
			Reason: "409 of the general table, for what contradicts the present state; that an owner of servers cannot be deleted is a guess",
		},
	},
}

// notSimulated are operations that the simulated panel does not have. Their requests are checked, and the answers in testdata stand in.
var notSimulated = map[string]string{}
