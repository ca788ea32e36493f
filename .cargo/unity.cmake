# PROJ's sources are compiled several at a time, as they share most of their headers: that takes less than half the time.
set(CMAKE_UNITY_BUILD ON)
