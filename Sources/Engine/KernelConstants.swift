internal import CLinux
internal import Glibc

// The kernel's constants arrive in Swift as enums and integers of several widths: converted once, here.

let epollAdd = Int32(EPOLL_CTL_ADD)
let epollDelete = Int32(EPOLL_CTL_DEL)
let epollModify = Int32(EPOLL_CTL_MOD)
let epollIn = UInt32(EPOLLIN.rawValue)
let epollOut = UInt32(EPOLLOUT.rawValue)
let epollError = UInt32(EPOLLERR.rawValue)
let epollHangUp = UInt32(EPOLLHUP.rawValue)
let epollPeerClosed = UInt32(EPOLLRDHUP.rawValue)
let epollUrgent = UInt32(EPOLLPRI.rawValue)
let epollOnce = UInt32(EPOLLONESHOT.rawValue)
let epollEdge = UInt32(EPOLLET.rawValue)
let connectionEvents = epollIn | epollOut | epollPeerClosed | epollUrgent | epollEdge

let streamType = Int32(SOCK_STREAM.rawValue)
let protocolTCP = Int32(IPPROTO_TCP)
let messagePeek = Int32(MSG_PEEK)
let wouldBlock = -Int64(EAGAIN)
let connectionReset = -Int64(ECONNRESET)
