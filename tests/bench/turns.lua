-- wrk asks for the paths given after its "--" in turn, so that no page is measured on one object only.
local paths, at = {}, 0

function init(given)
  for rank, path in ipairs(given) do
    paths[rank] = path
  end
end

function request()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
