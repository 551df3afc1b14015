from django.urls import path

from chat.views import aids, conversations, lists, verbs

urlpatterns = [
    path("chats", lists.chat_list, name="chat-list"),
    path("chats/unread", lists.unread, name="chat-unread"),
    path("chats/replies", aids.reply_list, name="chat-replies"),
    path("chats/replies/new", aids.ReplyEdit.as_view(), name="chat-reply-new"),
    path("chats/replies/<uuid:reply_id>", aids.ReplyEdit.as_view(), name="chat-reply"),
    path("chats/replies/<uuid:reply_id>/delete", aids.reply_delete, name="chat-reply-delete"),
    path("chats/away", aids.Away.as_view(), name="chat-away"),
    path("chats/away/end", aids.away_end, name="chat-away-end"),
    path("chats/messages/<uuid:message_id>/retract", verbs.retract, name="chat-retract"),
    path("chats/<uuid:chat_id>", conversations.chat_detail, name="chat-detail"),
    path("chats/<uuid:chat_id>/entries", conversations.chat_entries, name="chat-entries"),
    path("chats/<uuid:chat_id>/send", verbs.send, name="chat-send"),
    path("chats/<uuid:chat_id>/read", verbs.read, name="chat-read"),
    path("chats/<uuid:chat_id>/settle", verbs.settle, name="chat-settle"),
    path("connections/<uuid:connection_id>/chat", verbs.open_one, name="chat-open"),
]
