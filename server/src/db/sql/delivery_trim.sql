-- All but the newest 200 deliveries of a webhook.
delete from delivery
 where (town_id, delivery_id) in (select town_id, delivery_id
                                    from delivery
                                   where hook = $1
                                   order by ts desc, delivery_id desc
                                  offset 200)
