package virtfusion

// panel71 is the version that brought the operations whose documentation says "Panel 7.1". Each of their calls carries it as rest.Call.Since. Older panels have
// no route for them and answer 404 without words of their own (405 where only the method is new), which is NoRoute: the error then names the version.
const panel71 = "7.1"

// panel70 is the same for what the description of 7.0 has and the one of 6.2 has not.
const panel70 = "7.0"
