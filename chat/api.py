"""Conversations over REST: whatever a socket does, for clients that have none."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status, views, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from chat import serializers as shapes
from chat.models import Absence, CannedReply, Chat, Message
from chat.policies import check_can_prepare
from chat.services import chats, help, messages, places, reading  # noqa: A004 - ours
from common.errors import InvalidInput
from common.pagination import TurnPagination
from common.serializers import valid, valid_query

# A client without a socket asks every few seconds, and says what arrived and what was read.
POLLING_RATE = "600/m"
# In front of what the service itself counts.
SENDING_RATE = "120/m"


class Conversing:
    """What people do all the time has more room than other things."""

    action: str

    @property
    def throttle_rate(self) -> str:
        return SENDING_RATE if self.action == "create" else POLLING_RATE

    @property
    def throttle_group(self) -> str:
        return "chat-send" if self.action == "create" else "chat"


@extend_schema(tags=["chat"])
class ChatViewSet(Conversing, viewsets.GenericViewSet[Any]):
    """Yours: one of each connection, also after you parted."""

    queryset = Chat.objects.none()
    serializer_class = shapes.ChatSerializer
    pagination_class = TurnPagination
    lookup_value_converter = "uuid"

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "viewer": self.request.user}

    @extend_schema(parameters=[shapes.ChatQuerySerializer])
    def list(self, request: Request) -> Response:
        """The last that something was said in comes first; before them, to doctors, those in
        which a patient waits for an answer, the longest first."""
        query = valid_query(request, shapes.ChatQuerySerializer)
        page = self.paginate_queryset(reading.list_chats(actor=request.user, **query)) or []
        lines = reading.lines_of(actor=request.user, chats=page)
        return self.get_paginated_response(self.get_serializer(lines, many=True).data)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of them."""
        return self._answer(reading.find_chat(actor=request.user, chat_id=pk))

    @extend_schema(request=None, responses=shapes.ChatSerializer)
    @action(detail=False, methods=["post"], url_path="connection/<uuid:connection_id>")
    def open(self, request: Request, connection_id: UUID) -> Response:
        """The chat of a connection, which the first to open it makes."""
        chat = chats.open_chat(actor=request.user, connection_id=connection_id)
        return self._answer(reading.find_chat(actor=request.user, chat_id=chat.pk))

    @extend_schema(parameters=[shapes.MessagesQuerySerializer], responses=shapes.MessagesSerializer)
    @action(detail=True, pagination_class=None)
    def messages(self, request: Request, pk: UUID) -> Response:
        """What was said, by its numbers. With `after_seq` everything since, withdrawals too:
        whoever asks with the last number they have misses nothing. What is given out is marked
        as delivered, unless it was searched for, or something before it has not been yet."""
        query = valid(shapes.MessagesQuerySerializer(data=request.query_params))
        chat = reading.find_chat(actor=request.user, chat_id=pk)
        page = _page(request, chat, **query)
        if not query["q"]:
            places.mark_given_out(actor=request.user, chat=chat, entries=page.entries)
        shown = {"results": page.entries, "has_more": page.has_more, "next": _next(request, page)}
        return Response(shapes.MessagesSerializer(shown).data)

    @extend_schema(request=shapes.SeqSerializer, responses=shapes.CameToSerializer)
    @action(detail=True, methods=["put"])
    def read(self, request: Request, pk: UUID) -> Response:
        """Say that you have read up to this number, which is never less than before."""
        said = valid(shapes.SeqSerializer(data=request.data))
        return _came_to(pk, places.mark_read(actor=request.user, chat_id=pk, **said))

    @extend_schema(request=shapes.SeqSerializer, responses=shapes.CameToSerializer)
    @action(detail=True, methods=["put"])
    def delivered(self, request: Request, pk: UUID) -> Response:
        """Say that everything up to this number has reached your device."""
        said = valid(shapes.SeqSerializer(data=request.data))
        return _came_to(pk, places.mark_delivered(actor=request.user, chat_id=pk, **said))

    @extend_schema(request=None, responses=shapes.CameToSerializer)
    @action(detail=True, methods=["put"], url_path="read-all")
    def read_all(self, request: Request, pk: UUID) -> Response:
        """Say that you have read all there is."""
        return _came_to(pk, places.mark_all_read(actor=request.user, chat_id=pk))

    @extend_schema(request=None, responses=shapes.ChatSerializer)
    @action(detail=True, methods=["put"])
    def settle(self, request: Request, pk: UUID) -> Response:
        """Say, as the doctor, that what the patient wrote needs no answer."""
        chats.settle(actor=request.user, chat_id=pk)
        return self._answer(reading.find_chat(actor=request.user, chat_id=pk))

    @extend_schema(operation_id="chat_all_unread_count", responses=shapes.UnreadSerializer)
    @action(detail=False, url_path="unread/count", pagination_class=None)
    def all_unread(self, request: Request) -> Response:
        """How many messages wait for you, in all of your chats."""
        return Response({"count": reading.unread_count(actor=request.user)})

    @extend_schema(responses=shapes.UnreadSerializer)
    @action(detail=True, url_path="unread/count", pagination_class=None)
    def unread(self, request: Request, pk: UUID) -> Response:
        """How many wait for you in this one."""
        chat = reading.find_chat(actor=request.user, chat_id=pk)
        return Response({"count": reading.unread_count(actor=request.user, chat=chat)})

    def _answer(self, chat: Chat) -> Response:
        [line] = reading.lines_of(actor=self.request.user, chats=[chat])
        return Response(self.get_serializer(line).data)


@extend_schema(tags=["chat"])
class MessageViewSet(Conversing, viewsets.GenericViewSet[Message]):
    """What is said."""

    queryset = Message.objects.none()
    serializer_class = shapes.MessageSerializer
    lookup_value_converter = "uuid"

    @extend_schema(request=shapes.SendSerializer, responses={201: shapes.MessageSerializer})
    def create(self, request: Request) -> Response:
        """Say something to the other side: 5,000 characters at most, 60 messages a minute. What
        is answered is kept. After a lost answer, send it again under the same `client_id`."""
        said = valid(shapes.SendSerializer(data=request.data))
        sent = messages.send_message(actor=request.user, **said)
        return Response(self.get_serializer(sent).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Withdraw what you said. Both sides see that something was, and not what."""
        messages.retract_message(actor=request.user, message_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=shapes.CameToSerializer)
    @action(detail=True, methods=["put"])
    def read(self, request: Request, pk: UUID) -> Response:
        """Say that you have read up to this message."""
        chat_id, seq = places.mark_message_read(actor=request.user, message_id=pk)
        return _came_to(chat_id, seq)


@extend_schema(tags=["chat"])
class ReplyViewSet(viewsets.GenericViewSet[CannedReply]):
    """What you answer often: words under a title, of no patient. Fifty at most."""

    queryset = CannedReply.objects.none()
    serializer_class = shapes.ReplySerializer
    pagination_class = None
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[CannedReply]:
        return CannedReply.objects.visible_to(self.request.user)

    def list(self, request: Request) -> Response:
        """All of yours, by title."""
        check_can_prepare(request.user)
        return Response(self.get_serializer(self.get_queryset(), many=True).data)

    @extend_schema(request=shapes.ReplyInputSerializer, responses={201: shapes.ReplySerializer})
    def create(self, request: Request) -> Response:
        """Keep another."""
        said = valid(shapes.ReplyInputSerializer(data=request.data))
        reply = help.save_reply(actor=request.user, **said)
        return Response(self.get_serializer(reply).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of yours."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=shapes.ReplyInputSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Put this in its place."""
        said = valid(shapes.ReplyInputSerializer(data=request.data))
        reply = help.save_reply(actor=request.user, reply_id=pk, **said)
        return Response(self.get_serializer(reply).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """What was said with it stays."""
        help.delete_reply(actor=request.user, reply_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["chat"])
class AbsenceView(views.APIView):
    """When you, a doctor, do not answer."""

    @extend_schema(responses=shapes.AbsenceSerializer)
    def get(self, request: Request) -> Response:
        """What you have said of it; 404 where that is nothing."""
        check_can_prepare(request.user)
        absence = Absence.objects.visible_to(request.user).first()
        if absence is None:
            raise Http404
        return Response(shapes.AbsenceSerializer(absence).data)

    @extend_schema(request=shapes.AbsenceInputSerializer, responses=shapes.AbsenceSerializer)
    def put(self, request: Request) -> Response:
        """Say from when until when. Whoever opens a chat with you meanwhile reads your notice."""
        said = valid(shapes.AbsenceInputSerializer(data=request.data))
        absence = help.set_absence(actor=request.user, **said)
        return Response(shapes.AbsenceSerializer(absence).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """You are back, or do not go."""
        help.end_absence(actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _page(
    request: Request,
    chat: Chat,
    *,
    limit: int,
    q: str,
    after_seq: int | None = None,
    before_seq: int | None = None,
) -> reading.Page:
    if after_seq is None:
        return reading.messages_before(
            actor=request.user, chat=chat, seq=before_seq, limit=limit, query=q
        )
    if before_seq is not None or q:
        raise InvalidInput(_("It goes forwards or backwards, not both."), attr="after_seq")
    return reading.entries_after(actor=request.user, chat=chat, seq=after_seq, limit=limit)


def _next(request: Request, page: reading.Page) -> str | None:
    """Further in the direction that was asked for."""
    if not page.has_more:
        return None
    forwards = "after_seq" in request.query_params
    name, entry = ("after_seq", page.entries[-1]) if forwards else ("before_seq", page.entries[0])
    return replace_query_param(request.build_absolute_uri(), name, entry.seq)


def _came_to(chat_id: UUID, seq: int) -> Response:
    return Response(shapes.CameToSerializer({"chat_id": chat_id, "seq": seq}).data)
