# PROJ's sources are compiled several at a time, as they share most of their headers.
set(CMAKE_UNITY_BUILD ON)
